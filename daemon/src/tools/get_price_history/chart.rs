//! The bars as a picture.

use ibd_chart::{Chart, png};
use ibd_cpapi::history::Bar;
use ibd_cpapi::money::Price;
use ibd_protocol::Picture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::prelude::ToPrimitive;

use super::{Out, Part};
use crate::history::Span;

/// More decimal places are no help to an eye.
const PLACES: u32 = 6;

/// The picture of an answer; none where there is no bar to draw.
pub(super) async fn picture(out: &Out, part: &Part, bars: Vec<Bar>) -> Result<Picture, String> {
    let zone = out.time_zone.as_deref().and_then(|zone| TimeZone::get(zone).ok());
    let zone = zone.unwrap_or(TimeZone::UTC);
    let title = [out.symbol.as_deref(), out.exchange.as_deref()];
    let title = title.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let length = match out.bars_in_row {
        Some(count) => format!("bars of {count} × {}", out.bar),
        None => format!("bars of {}", out.bar),
    };
    let currency = out.currency.as_deref().map(|currency| format!(", {currency}"));
    let as_of = out.as_of.0.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z");
    let subtitle =
        format!("{}, {length}{}, as of {as_of}", part.told(), currency.unwrap_or_default());
    let decimals =
        bars.iter().filter_map(|bar| bar.close).map(|close| close.get().normalize().scale());
    let decimals = decimals.max().unwrap_or(2).min(PLACES);
    let bars: Vec<ibd_chart::Bar> =
        bars.iter().filter_map(|bar| drawn(bar, part.bar, &zone)).collect();
    let draw =
        move || png(&Chart { title: &title, subtitle: &subtitle, zone, bars: &bars, decimals });
    // Pixels take their time, and nobody else should wait for them.
    match tokio::task::spawn_blocking(draw).await {
        Ok(Ok(bytes)) => Ok(Picture { mime_type: "image/png".to_owned(), bytes }),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// A bar in numbers that become pixels; none where it has no price at all.
fn drawn(bar: &Bar, length: Span, zone: &TimeZone) -> Option<ibd_chart::Bar> {
    let number = |price: Option<Price>| price.and_then(|price| price.get().to_f64());
    let close = number(bar.close).or(number(bar.open))?;
    let or_close = |price| number(price).unwrap_or(close);
    Some(ibd_chart::Bar {
        at: at(bar.time?, length, zone)?,
        open: or_close(bar.open),
        high: or_close(bar.high),
        low: or_close(bar.low),
        close,
        volume: bar.volume.and_then(|volume| volume.get().to_f64()),
    })
}

/// A day is drawn on its own date, wherever its midnight is told from.
fn at(time: Timestamp, length: Span, zone: &TimeZone) -> Option<Timestamp> {
    if !length.is_of_days() {
        return Some(time);
    }
    let noon = length.day_of(time, zone).at(12, 0, 0, 0);
    Some(noon.to_zoned(zone.clone()).ok()?.timestamp())
}
