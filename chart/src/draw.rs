//! Where everything stands.

use crate::canvas::{Canvas, Rgb};
use crate::times::{self, Axis};
use crate::{Bar, Chart, HEIGHT, WIDTH, scale};
use jiff::civil::DateTime;

/// Beyond, candles would be too thin to tell a body from a wick.
const MOST_CANDLES: usize = 150;

// Okabe and Ito's blue and vermilion: told apart with every kind of colour blindness, and in grey.
pub const UP: Rgb = [0x00, 0x72, 0xb2];
const DOWN: Rgb = [0xd5, 0x5e, 0x00];
const PALE_UP: Rgb = [0x8c, 0xbf, 0xdd];
const PALE_DOWN: Rgb = [0xee, 0xb7, 0x8c];
const BAND: Rgb = [0xd6, 0xe8, 0xf3];
const VOLUME: Rgb = [0xa3, 0xad, 0xb8];
pub const GRID: Rgb = [0xe4, 0xe7, 0xeb];
pub const INK: Rgb = [0x22, 0x2a, 0x33];
pub const FAINT: Rgb = [0x55, 0x60, 0x6c];
pub const WHITE: Rgb = [0xff; 3];

// Pictures are shown at half of their size, and must still be read.
const TITLE: f32 = 30.0;
pub const TEXT: f32 = 20.0;

pub const LEFT: f32 = 24.0;
pub const TOP: f32 = 84.0;
pub const BOTTOM: f32 = HEIGHT as f32 - 58.0;
const VOLUMES: f32 = 84.0;
/// Above the highest and below the lowest price: their labels stand there.
const AIR: f32 = 30.0;

/// The part of the picture that has an axis of prices, in whole pixels.
pub struct Prices {
    pub top: f32,
    pub bottom: f32,
    pub low: f64,
    pub high: f64,
}

impl Prices {
    /// Where a price is.
    pub fn y(&self, price: f64) -> f32 {
        let part = (self.high - price) / (self.high - self.low);
        let room = f64::from(self.bottom - self.top - 2.0 * AIR);
        self.top + AIR + (part * room).round() as f32
    }
}

/// Draws the chart. There is a bar at least.
pub fn draw(canvas: &mut Canvas, chart: &Chart<'_>, bars: &[Bar]) {
    let (Some(last), Some(lowest), Some(highest)) = (
        bars.last(),
        bars.iter().enumerate().min_by(|(_, a), (_, b)| a.low.total_cmp(&b.low)),
        bars.iter().enumerate().rev().max_by(|(_, a), (_, b)| a.high.total_cmp(&b.high)),
    ) else {
        return;
    };
    let most = bars.iter().filter_map(|bar| bar.volume).fold(0.0, f64::max);
    let bottom = if most > 0.0 { BOTTOM - VOLUMES - 12.0 } else { BOTTOM };
    let (low, high) = scale::range(lowest.1.low, highest.1.high, chart.decimals);
    let prices = Prices { top: TOP, bottom, low, high };

    let (steps, digits) = scale::steps(low, high, ((bottom - TOP) / 50.0) as usize);
    let quoted = digits.max(usize::try_from(chart.decimals).unwrap_or(0));
    let tag = scale::price(last.close, quoted);
    let labels: Vec<(f32, String)> =
        steps.iter().map(|step| (prices.y(*step), scale::price(*step, digits))).collect();
    let volumes = scale::volume(most);
    let texts = labels.iter().map(|(_, text)| text).chain([&tag, &volumes]);
    let widest = texts.map(|text| canvas.width(text, TEXT)).fold(0.0, f32::max);
    let right = (WIDTH as f32 - widest - 22.0).floor();

    let slot = (right - LEFT) / bars.len() as f32;
    let middles: Vec<f32> = (0..bars.len()).map(|i| LEFT + (i as f32 + 0.5) * slot).collect();
    let is_candles = bars.len() <= MOST_CANDLES;
    let tag_colour = if is_candles { colour(last) } else { UP };
    let tag_y = prices.y(last.close);

    header(canvas, chart, is_candles);
    let times: Vec<_> = bars.iter().map(|bar| chart.zone.to_datetime(bar.at)).collect();
    time_axis(canvas, &times, &middles, right);
    for (y, text) in &labels {
        canvas.rectangle(LEFT, *y, right, y + 1.0, GRID);
        // The last price takes the room of those beside it.
        if (y - tag_y).abs() > TEXT + 3.0 {
            canvas.text(text, right + 12.0, y + 7.0, TEXT, FAINT);
        }
    }
    if most > 0.0 {
        volume_panel(canvas, bars, slot, most, is_candles, right);
        canvas.text(&volumes, right + 12.0, BOTTOM - VOLUMES + 15.0, TEXT, FAINT);
        canvas.text("vol.", right + 12.0, BOTTOM - VOLUMES + 38.0, TEXT, FAINT);
    }
    canvas.dashes(LEFT, right, tag_y, tag_colour);
    if is_candles {
        for (bar, middle) in bars.iter().zip(&middles) {
            candle(canvas, bar, *middle, slot, &prices);
        }
    } else {
        let points = |price: fn(&Bar) -> f64| {
            bars.iter().zip(&middles).map(move |(bar, x)| (*x, price(bar)))
        };
        let there = points(|bar| bar.high);
        let back = points(|bar| bar.low).rev();
        canvas.area(there.chain(back).map(|(x, price)| (x, prices.y(price))), BAND);
        canvas.line(points(|bar| bar.close).map(|(x, price)| (x, prices.y(price))), 2.0, UP);
    }
    for ((i, _), price, name, away) in
        [(highest, highest.1.high, "high", -9.0), (lowest, lowest.1.low, "low", TEXT + 3.0)]
    {
        let text = format!("{name} {}", scale::price(price, quoted));
        let middle = middles.get(i).copied().unwrap_or(LEFT);
        beside(canvas, &text, middle, prices.y(price) + away, right);
    }
    canvas.rectangle(right, TOP, right + 1.0, BOTTOM, FAINT);
    canvas.rectangle(right + 1.0, tag_y - 14.0, WIDTH as f32, tag_y + 15.0, tag_colour);
    canvas.text(&tag, right + 12.0, tag_y + 7.0, TEXT, WHITE);
}

fn colour(bar: &Bar) -> Rgb {
    if bar.close < bar.open { DOWN } else { UP }
}

/// The title, how to read it, and what the colours mean.
fn header(canvas: &mut Canvas, chart: &Chart<'_>, is_candles: bool) {
    let wide = WIDTH as f32 - LEFT;
    let names = if is_candles { ["up", "down"] } else { ["close", "high to low"] };
    let mut x = wide;
    for (i, name) in names.into_iter().enumerate().rev() {
        x -= canvas.width(name, TEXT);
        canvas.text(name, x, 36.0, TEXT, FAINT);
        match (is_candles, i) {
            (true, 0) => body(canvas, x - 20.0, 20.0, 36.0, 12.0, UP, true),
            (true, _) => body(canvas, x - 20.0, 20.0, 36.0, 12.0, DOWN, false),
            (false, 0) => canvas.line([(x - 34.0, 29.0), (x - 9.0, 29.0)], 2.0, UP),
            (false, _) => canvas.rectangle((x - 34.0).floor(), 20.0, (x - 8.0).floor(), 37.0, BAND),
        }
        x -= if is_candles { 38.0 } else { 54.0 };
    }
    titles(canvas, [chart.title, chart.subtitle], x);
}

/// The title, as far as there is room to its right, and how to read it.
pub fn titles(canvas: &mut Canvas, [title, subtitle]: [&str; 2], right: f32) {
    let title = canvas.fit(title, TITLE, right - LEFT);
    canvas.text(&title, LEFT, 38.0, TITLE, INK);
    let subtitle = canvas.fit(subtitle, TEXT, WIDTH as f32 - 2.0 * LEFT);
    canvas.text(&subtitle, LEFT, 68.0, TEXT, FAINT);
}

/// The axis of time below everything, with a line upwards from each label.
pub fn time_axis(canvas: &mut Canvas, times: &[DateTime], middles: &[f32], right: f32) {
    let labels = {
        let width = |text: &str| canvas.width(text, TEXT);
        times::labels(times, &Axis { middles, left: 4.0, right, width: &width })
    };
    canvas.rectangle(LEFT, BOTTOM, right, BOTTOM + 1.0, FAINT);
    for label in labels {
        let middle = middles.get(label.bar).map_or(LEFT, |middle| middle.floor());
        canvas.rectangle(middle, TOP, middle + 1.0, BOTTOM, GRID);
        canvas.rectangle(middle, BOTTOM, middle + 1.0, BOTTOM + 6.0, FAINT);
        canvas.text(&label.text, label.left, BOTTOM + 25.0, TEXT, FAINT);
        if let Some((context, left)) = label.context {
            canvas.text(&context, left, BOTTOM + 49.0, TEXT, INK);
        }
    }
}

/// One open-high-low-close: hollow where the price rose, so that nobody needs colours for it.
fn candle(canvas: &mut Canvas, bar: &Bar, middle: f32, slot: f32, prices: &Prices) {
    let colour = colour(bar);
    // An odd body has its wick of one pixel in the middle, an even one its wick of two.
    let wide = (slot * 0.7).floor().clamp(3.0, 40.0);
    let (wick, wide) =
        if wide < 6.0 { (1.0, wide - (wide + 1.0) % 2.0) } else { (2.0, wide - wide % 2.0) };
    let left = (middle - wide / 2.0).round();
    let from = left + (wide - wick) / 2.0;
    canvas.rectangle(from, prices.y(bar.high), from + wick, prices.y(bar.low) + 1.0, colour);
    let (top, bottom) = (prices.y(bar.open.max(bar.close)), prices.y(bar.open.min(bar.close)));
    body(canvas, left, top, bottom.max(top + 1.0) + 1.0, wide, colour, bar.close > bar.open);
}

fn body(
    canvas: &mut Canvas,
    left: f32,
    top: f32,
    bottom: f32,
    wide: f32,
    colour: Rgb,
    is_hollow: bool,
) {
    canvas.rectangle(left, top, left + wide, bottom, colour);
    if is_hollow && wide >= 6.0 {
        canvas.rectangle(left + 2.0, top + 2.0, left + wide - 2.0, bottom - 2.0, WHITE);
    }
}

fn volume_panel(
    canvas: &mut Canvas,
    bars: &[Bar],
    slot: f32,
    most: f64,
    is_candles: bool,
    right: f32,
) {
    let top = |bar: &Bar| {
        let part = bar.volume.unwrap_or(0.0) / most;
        BOTTOM - (part * f64::from(VOLUMES - 6.0)).round() as f32
    };
    canvas.rectangle(LEFT, BOTTOM - VOLUMES - 6.0, right, BOTTOM - VOLUMES - 5.0, GRID);
    if is_candles {
        for (i, bar) in bars.iter().enumerate() {
            let wide = (slot * 0.7).floor().clamp(3.0, 40.0);
            let left = (LEFT + (i as f32 + 0.5) * slot - wide / 2.0).round();
            let colour = if colour(bar) == UP { PALE_UP } else { PALE_DOWN };
            canvas.rectangle(left, top(bar), left + wide, BOTTOM, colour);
        }
        return;
    }
    // One outline around all: each on its own would leave seams where two share a pixel.
    let steps = bars.iter().enumerate().flat_map(|(i, bar)| {
        let x = LEFT + i as f32 * slot;
        [(x, top(bar)), (x + slot, top(bar))]
    });
    canvas.area([(LEFT, BOTTOM)].into_iter().chain(steps).chain([(right, BOTTOM)]), VOLUME);
}

/// A text above or below a point, within the picture, on a white ground: lines may pass there.
fn beside(canvas: &mut Canvas, text: &str, middle: f32, y: f32, right: f32) {
    let width = canvas.width(text, TEXT);
    let left = (middle - width / 2.0).min(right - 4.0 - width).max(LEFT);
    canvas.rectangle(left - 2.0, y - 16.0, left + width + 2.0, y + 5.0, WHITE);
    canvas.text(text, left, y, TEXT, INK);
}
