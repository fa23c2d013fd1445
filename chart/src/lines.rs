//! Lines over time: one panel above the other, on one axis of time.

use crate::canvas::Canvas;
use crate::draw::{
    BOTTOM, FAINT, GRID, INK, LEFT, Prices, TEXT, TOP, UP, WHITE, time_axis, titles,
};
use crate::{Lines, Panel, WIDTH, scale};

/// Beyond it neither labels nor differences mean anything.
const HUGE: f64 = 1e15;
/// Between two panels.
const GAP: f32 = 14.0;
/// A panel has a label for so many pixels about.
const STEP: f32 = 50.0;

/// What can be drawn of a panel.
pub struct Curve<'a> {
    panel: &'a Panel<'a>,
    /// The number of a time, and the value then.
    points: Vec<(usize, f64)>,
    low: f64,
    high: f64,
}

/// The panels that have a value, without what is none.
pub fn drawable<'a>(panels: &'a [Panel<'a>], times: usize) -> Vec<Curve<'a>> {
    let curve = |panel: &'a Panel<'a>| {
        let values = panel.values.iter().take(times).enumerate();
        let points: Vec<(usize, f64)> = values
            .filter_map(|(at, value)| Some((at, value.filter(|value| value.abs() <= HUGE)?)))
            .collect();
        let low = points.iter().map(|(_, value)| *value).reduce(f64::min)?;
        let high = points.iter().map(|(_, value)| *value).reduce(f64::max)?;
        let (low, high) = scale::range(low, high, panel.decimals);
        Some(Curve { panel, points, low, high })
    };
    panels.iter().filter_map(curve).collect()
}

/// A panel with its axis.
struct Placed<'a> {
    curve: &'a Curve<'a>,
    axis: Prices,
    labels: Vec<(f32, String)>,
    /// The last value.
    tag: Option<(f32, String)>,
}

impl<'a> Placed<'a> {
    fn new(curve: &'a Curve<'a>, top: f32, bottom: f32) -> Self {
        let axis = Prices { top, bottom, low: curve.low, high: curve.high };
        let most = ((bottom - top) / STEP) as usize;
        let (steps, digits) = scale::steps(curve.low, curve.high, most);
        let unit = curve.panel.unit;
        let told = |value: f64, digits: usize| scale::price(value, digits) + unit;
        let labels = steps.iter().map(|step| (axis.y(*step), told(*step, digits))).collect();
        let shown = digits.max(usize::try_from(curve.panel.decimals).unwrap_or(0));
        let tag = curve.points.last().map(|(_, value)| (axis.y(*value), told(*value, shown)));
        Self { curve, axis, labels, tag }
    }
}

/// Draws them. There is a curve at least.
pub fn draw(canvas: &mut Canvas, lines: &Lines<'_>, curves: &[Curve<'_>]) {
    let height = (BOTTOM - TOP) / curves.len() as f32;
    let placed = curves.iter().enumerate().map(|(i, curve)| {
        let top = (TOP + i as f32 * height).floor();
        let gap = if i + 1 < curves.len() { GAP } else { 0.0 };
        Placed::new(curve, top, (top + height - gap).floor())
    });
    let placed: Vec<Placed<'_>> = placed.collect();
    let texts = placed.iter().flat_map(|panel| panel.labels.iter().chain(&panel.tag));
    let widest = texts.map(|(_, text)| canvas.width(text, TEXT)).fold(0.0, f32::max);
    let right = (WIDTH as f32 - widest - 22.0).floor();
    let slot = (right - LEFT) / lines.times.len().max(1) as f32;
    let middles: Vec<f32> =
        (0..lines.times.len()).map(|i| LEFT + (i as f32 + 0.5) * slot).collect();
    let times: Vec<_> = lines.times.iter().map(|at| lines.zone.to_datetime(*at)).collect();
    titles(canvas, [lines.title, lines.subtitle], WIDTH as f32 - LEFT);
    time_axis(canvas, &times, &middles, right);
    for panel in &placed {
        draw_panel(canvas, panel, &middles, right);
    }
}

fn draw_panel(canvas: &mut Canvas, panel: &Placed<'_>, middles: &[f32], right: f32) {
    let (axis, curve) = (&panel.axis, panel.curve);
    let tag = panel.tag.as_ref();
    for (y, text) in &panel.labels {
        canvas.rectangle(LEFT, *y, right, y + 1.0, GRID);
        // The last value takes the room of those beside it.
        if tag.is_none_or(|(at, _)| (y - at).abs() > TEXT + 3.0) {
            canvas.text(text, right + 12.0, y + 7.0, TEXT, FAINT);
        }
    }
    if curve.low < 0.0 && curve.high > 0.0 {
        let zero = axis.y(0.0);
        canvas.rectangle(LEFT, zero, right, zero + 1.0, FAINT);
    }
    canvas.rectangle(LEFT, axis.bottom, right, axis.bottom + 1.0, GRID);
    let point = |(at, value): &(usize, f64)| Some((*middles.get(*at)?, axis.y(*value)));
    let points: Vec<(f32, f32)> = curve.points.iter().filter_map(point).collect();
    // One alone makes no line.
    if let [(x, y)] = points.as_slice() {
        canvas.rectangle(x - 4.0, y - 4.0, x + 4.0, y + 4.0, UP);
    }
    canvas.line(points, 2.5, UP);
    let name = curve.panel.name;
    let width = canvas.width(name, TEXT);
    canvas.rectangle(LEFT, axis.top + 2.0, LEFT + width + 8.0, axis.top + 25.0, WHITE);
    canvas.text(name, LEFT + 4.0, axis.top + 20.0, TEXT, INK);
    canvas.rectangle(right, axis.top, right + 1.0, axis.bottom, FAINT);
    if let Some((y, text)) = tag {
        canvas.rectangle(right + 1.0, y - 14.0, WIDTH as f32, y + 15.0, UP);
        canvas.text(text, right + 12.0, y + 7.0, TEXT, WHITE);
    }
}
