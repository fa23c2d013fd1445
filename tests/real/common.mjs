// What the checks in JavaScript share: counting, and what every client should find.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

export const SHIM = `${process.env.IBD_BIN}/ib-mcp`;
const OWN_CALLS = JSON.parse(readFileSync(new URL('calls.json', import.meta.url)));

// Good and bad arguments of a tool: what calls.json does not say stands in the tool's own description.
function callsOf(name, description) {
  const { good, bad } = OWN_CALLS[name] ?? {};
  return { good: good === undefined ? JSON.parse(description.split(' Example: ')[1] ?? '{}') : good, bad };
}
let passed = 0, failed = 0;

// Clients live in target/real, where imports from here do not look.
export const load = (folder, path) => import(`${process.env.REAL}/${folder}/node_modules/${path}`);

export function check(name, condition, detail = '') {
  if (condition) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED ${name}: ${JSON.stringify(detail)?.slice(0, 600)}`);
  }
}

export async function attempt(name, action) {
  try {
    return await action();
  } catch (error) {
    check(name, false, String(error));
  }
}

export function end() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

// What `ibctl status --json` says of the daemon; it ends with 3 or 4 where all is not well.
function daemon() {
  try {
    return JSON.parse(execFileSync(`${process.env.IBD_BIN}/ibctl`, ['status', '--json'])).daemon;
  } catch (error) {
    return JSON.parse(error.stdout).daemon;
  }
}

export const QUOTE = 'ib://quote/265598';

// Resources: listed, read, and a quote followed over the end of a daemon. `follow(told)` begins it; `told(uri)` is
// called at each word.
export async function resources(client, follow) {
  const uris = (await client.listResources()).resources.map(({ uri }) => uri);
  check('resources', ['ib://session', 'ib://orders'].every((uri) => uris.includes(uri)), uris);
  const kinds = (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate);
  check('templates', kinds.includes('ib://quote/{conid}'), kinds);
  const { contents } = await client.readResource({ uri: QUOTE });
  check('quote: of that contract', JSON.parse(contents[0].text).quotes[0].conid === 265598, contents);
  let seen = 0;
  await follow((uri) => {
    check('an update of what is followed', uri === QUOTE, uri);
    seen += 1;
  });
  const told = async (when) => {
    const before = seen;
    for (let looks = 0; looks < 300 && seen === before; looks += 1) await new Promise((go) => setTimeout(go, 100));
    check(`an update ${when}`, seen > before);
  };
  await told('when the market moves');
  const { pid } = daemon();
  process.kill(pid, 'SIGKILL');
  await told('after the daemon was killed');
  check('nobody asked, and another daemon serves', ![undefined, null, pid].includes(daemon().pid));
  await told('when the market moves again');
}

function refusal(name, result, field) {
  check(`${name}: isError`, result.isError === true && !result.structuredContent, result);
  const said = JSON.parse(result.content[0].text);
  check(`${name}: error, message, next`, said.error && said.message && said.next, said);
  check(`${name}: field`, !field || said.field === field, said);
}

// Lists the tools and calls each with good and with bad arguments. `call` takes name, arguments, options.
export async function everything(listTools, call) {
  const { tools } = await listTools();
  check('tools are listed', tools.length > 0 && new Set(tools.map((tool) => tool.name)).size === tools.length);
  for (const { name, ...tool } of tools) {
    for (const key of ['title', 'description', 'annotations', 'inputSchema', 'outputSchema'])
      check(`${name}: has ${key}`, tool[key], tool);
    const known = callsOf(name, tool.description);
    // Without good ones: it takes what an earlier answer named.
    if (known.good) await attempt(`${name}: the client takes the answer`, async () => {
      const result = await call(name, known.good);
      check(`${name}: no error`, !result.isError, result);
      if (result.isError) return;
      const text = JSON.parse(result.content[0].text);
      check(`${name}: text is the same JSON`, isDeepStrictEqual(text, result.structuredContent), result);
    });
    // One without arguments has no bad ones.
    if (known.bad) await attempt(`${name}, bad argument`, async () =>
      refusal(`${name}, bad argument`, await call(name, known.bad[0]), known.bad[1]));
    // What a tool that writes refuses, a tool that reads leaves out of account, and says so.
    await attempt(`${name}, unknown field`, async () => {
      const result = await call(name, { noSuchField: 1 });
      if (tool.inputSchema.additionalProperties === false) refusal(`${name}, unknown field`, result, 'noSuchField');
      else check(`${name}, unknown field: named`, result.content[0].text.includes('noSuchField'), result);
    });
  }
  const seen = [];
  await attempt('a call with progress', () =>
    call('get_market_data', { symbols: ['IBM', 'NVDA'] }, { onprogress: (step) => seen.push(step.progress) }));
  // A TypeScript client may lose the last step; the first ones come.
  check('progress comes', seen.length > 0 && seen.every((step, at) => at === 0 || step >= seen[at - 1]), seen);
  try {
    check('unknown tool', false, await call('no_such_tool', {}));
  } catch (error) {
    check('unknown tool', error.code === -32602, String(error));
  }
}
