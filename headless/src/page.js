// One evaluation: `op` on what `selectors` find. It never reads what is in the password field, only
// how long it is.
(function (selectors, op, arg) {
  'use strict';
  const visible = e => e.checkVisibility({ visibilityProperty: true })
    && e.getBoundingClientRect().width > 0 && e.getBoundingClientRect().height > 0;
  const all = list => list.flatMap(s => {
    try { return [...document.querySelectorAll(s)]; } catch { return []; }
  });
  const find = name => all(selectors[name]).find(visible) || null;
  const text = e => e ? e.innerText.trim() : '';
  const said = name => all(selectors[name]).filter(visible).map(text).filter(t => t)[0] || null;

  // Where the form of a field would send it.
  const destination = field => {
    const action = field && field.form && field.form.getAttribute('action');
    if (!action) return null;
    const url = new URL(action, location.href);
    return url.protocol === 'javascript:' ? null : url.origin;
  };
  // The checkbox itself may be invisible, as switches are; then its label must be visible.
  const toggle = () => {
    const box = document.getElementById('toggle1');
    return box && (visible(box) || find('switch')) ? box.checked : null;
  };

  const look = () => {
    const user = find('username'), password = find('password'), code = find('totpInput');
    const devices = find('deviceSelect');
    return {
      origin: location.origin,
      destinations: [user, password, code].map(destination).filter(d => d !== null),
      loaded: document.readyState === 'complete',
      username: user && user.value,
      password: password && password.value.length,
      submit: !!find('loginSubmit'),
      paper: toggle(),
      error: said('error'),
      code: !!code && !code.disabled,
      panel: said('panel') || '',
      devices: devices ? [...devices.options].map(o => o.text.trim()) : [],
      chosen: devices ? devices.selectedIndex : null,
      notice: said('notice'),
      resend: !!find('resend'),
      promo: !!find('promo'),
      text: document.body ? document.body.innerText.slice(0, 4000) : '',
    };
  };

  // The middle of an element, scrolled into view, and whether a click there would reach it.
  const locate = name => {
    const e = find(name);
    if (!e) return null;
    e.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const r = e.getBoundingClientRect();
    const x = r.left + r.width / 2, y = r.top + r.height / 2;
    const hit = document.elementFromPoint(x, y);
    return { x, y, free: !!hit && (e === hit || e.contains(hit) || hit.contains(e)) };
  };

  switch (op) {
    case 'look': return look();
    case 'locate': return locate(arg);
    // Something lies over it.
    case 'press': { const e = find(arg); if (e) { e.focus(); e.click(); } return !!e; }
    // Whether keys go there now; what is in it would be replaced.
    case 'focused': {
      const e = find(arg);
      if (!e || document.activeElement !== e) return false;
      e.select();
      return true;
    }
    case 'length': { const e = find(arg); return e ? e.value.length : null; }
    // Drop-down lists are drawn outside of the page, where there is nothing to click.
    case 'choose': {
      const e = find('deviceSelect');
      if (!e || arg >= e.options.length) return false;
      e.focus();
      e.selectedIndex = arg;
      for (const kind of ['input', 'change']) e.dispatchEvent(new Event(kind, { bubbles: true }));
      return true;
    }
    default: return null;
  }
})
