//! A chart of prices as a picture, for people: candles while there is room for them, a line of closes above a band
//! of highs and lows beyond, volumes below. And lines of what else becomes over time, one panel above the other.
//!
//! - `bars` leaves out what cannot be drawn;
//! - `scale` decides the axis of prices, `times` that of time: figures and words only, no pixels;
//! - `canvas` knows pixels, letters and files;
//! - `palette` makes the files small;
//! - `draw` puts them together, of lines `lines`.
//!
//! Prices are floats here, and only here: they end as pixels.

mod bars;
mod canvas;
mod draw;
mod lines;
mod palette;
mod scale;
mod times;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How wide a picture is, in pixels.
pub const WIDTH: u32 = 1000;
/// How high a picture is, in pixels.
pub const HEIGHT: u32 = 560;

/// What was traded in one span of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// When it began. Of days and longer spans the date in the chart's zone counts, so midnight there is safe, and
    /// midnight in UTC is not.
    pub at: Timestamp,
    /// The first price.
    pub open: f64,
    /// The highest price.
    pub high: f64,
    /// The lowest price.
    pub low: f64,
    /// The last price.
    pub close: f64,
    /// How much was traded, where that is known.
    pub volume: Option<f64>,
}

/// What is to be drawn.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// What it shows: "AAPL · NASDAQ". Latin letters; what the font has not is drawn as a box.
    pub title: &'a str,
    /// How to read it: "1 year, daily bars, USD, split-adjusted, as of 2026-11-30 16:00 New York".
    pub subtitle: &'a str,
    /// Where it is traded: dates and times are those of there.
    pub zone: TimeZone,
    /// Those without a finite price are left out, and the rest is brought into order.
    pub bars: &'a [Bar],
    /// Digits after the point of a price, as the exchange quotes it.
    pub decimals: u32,
}

/// Something that becomes over time.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// What it is: "Return".
    pub name: &'a str,
    /// One for each time; a gap where none is known.
    pub values: &'a [Option<f64>],
    /// Digits after the point.
    pub decimals: u32,
    /// Behind each number: "%".
    pub unit: &'a str,
}

/// Lines to be drawn.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    /// What it shows.
    pub title: &'a str,
    /// How to read it.
    pub subtitle: &'a str,
    /// Whose dates and times they are.
    pub zone: TimeZone,
    /// The oldest first.
    pub times: &'a [Timestamp],
    /// One above the other; one without a value is left out.
    pub panels: &'a [Panel<'a>],
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// None were given, or none has finite prices.
    #[error("there is no bar with prices to draw")]
    NoBars,
    /// No panel has a finite value.
    #[error("there is no value to draw")]
    NoValues,
    /// The font in this crate cannot be read.
    #[error("the chart's own font is broken: {0}")]
    Font(#[from] ttf_parser::FaceParsingError),
    /// There is no memory for it.
    #[error("there is no room for a picture of {WIDTH} x {HEIGHT}")]
    Room,
    /// It was drawn, but not encoded.
    #[error("the picture cannot be encoded: {0}")]
    Encode(#[from] png::EncodingError),
}

/// Draws it: a PNG of [`WIDTH`] x [`HEIGHT`].
pub fn png(chart: &Chart<'_>) -> Result<Vec<u8>, Error> {
    let bars = bars::drawable(chart.bars);
    if bars.is_empty() {
        return Err(Error::NoBars);
    }
    let mut canvas = canvas::Canvas::new(WIDTH, HEIGHT)?;
    draw::draw(&mut canvas, chart, &bars);
    canvas.encode()
}

/// Draws lines: a PNG of [`WIDTH`] x [`HEIGHT`].
pub fn png_of_lines(lines: &Lines<'_>) -> Result<Vec<u8>, Error> {
    let curves = lines::drawable(lines.panels, lines.times.len());
    if curves.is_empty() {
        return Err(Error::NoValues);
    }
    let mut canvas = canvas::Canvas::new(WIDTH, HEIGHT)?;
    lines::draw(&mut canvas, lines, &curves);
    canvas.encode()
}

#[cfg(test)]
mod tests;
