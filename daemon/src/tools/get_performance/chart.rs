//! Return and value as a picture.

use ibd_chart::{Lines, Panel, png_of_lines};
use ibd_cpapi::analyst::{Day, Track};
use ibd_protocol::Picture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Out, percent};

/// The picture of an answer, with all of its days; none where no value is known.
pub(super) async fn picture(out: &Out, track: &Track) -> Result<Picture, String> {
    let as_of = out.as_of.0.strftime("%Y-%m-%d %H:%M UTC");
    let title = format!("{} · {}", out.account, out.period);
    let subtitle = format!("time-weighted return and net asset value, as of {as_of}");
    let value = out.base.as_deref().map_or("Value".to_owned(), |base| format!("Value, {base}"));
    let days: Vec<&Day> = track.days.iter().filter(|day| noon(day).is_some()).collect();
    let times: Vec<Timestamp> = days.iter().filter_map(|day| noon(day)).collect();
    let float = |number: Option<Decimal>| number.and_then(|number| number.to_f64());
    let returns: Vec<Option<f64>> = days.iter().map(|day| float(percent(day))).collect();
    let navs: Vec<Option<f64>> =
        days.iter().map(|day| float(day.nav.map(|nav| nav.get()))).collect();
    let draw = move || {
        let panels = [
            Panel { name: "Return", values: &returns, decimals: 2, unit: "%" },
            Panel { name: &value, values: &navs, decimals: 0, unit: "" },
        ];
        let (title, subtitle) = (title.as_str(), subtitle.as_str());
        let zone = TimeZone::UTC;
        png_of_lines(&Lines { title, subtitle, zone, times: &times, panels: &panels })
    };
    // Pixels take their time, and nobody else should wait for them.
    match tokio::task::spawn_blocking(draw).await {
        Ok(Ok(bytes)) => Ok(Picture { mime_type: "image/png".to_owned(), bytes }),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn noon(day: &Day) -> Option<Timestamp> {
    Some(day.date.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?.timestamp())
}
