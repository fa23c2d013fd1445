#![allow(clippy::unwrap_used)]

use super::*;

fn at(minute: usize) -> Timestamp {
    Timestamp::from_second(1_796_000_000 + 60 * i64::try_from(minute).unwrap()).unwrap()
}

fn flat(minute: usize, price: f64) -> Bar {
    Bar { at: at(minute), open: price, high: price, low: price, close: price, volume: None }
}

fn wave(count: usize, middle: f64, size: f64, volume: Option<f64>) -> Vec<Bar> {
    let bar = |i: usize| {
        let open = middle + size * (i as f64 / 9.0).sin();
        let close = middle + size * ((i + 1) as f64 / 9.0).sin();
        let (high, low) = (open.max(close) + size * 0.1, open.min(close) - size * 0.1);
        Bar {
            at: at(i),
            open,
            high,
            low,
            close,
            volume: volume.map(|volume| volume * (1 + i % 7) as f64),
        }
    };
    (0..count).map(bar).collect()
}

fn chart(bars: &[Bar], decimals: u32) -> Chart<'_> {
    Chart { title: "AAPL · NASDAQ", subtitle: "1 year, USD", zone: TimeZone::UTC, bars, decimals }
}

/// What another program would read.
fn pixels(file: &[u8]) -> Vec<u8> {
    let mut decoder = ::png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(::png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (WIDTH, HEIGHT, ::png::ColorType::Rgb));
    pixels
}

fn dark(pixels: &[u8]) -> usize {
    pixels.chunks(3).filter(|pixel| pixel.iter().any(|part| *part < 0xe0)).count()
}

#[test]
fn a_picture_has_its_size_and_is_not_blank() {
    let volume = Some(1e6);
    let table = [
        (1, None),
        (2, volume),
        (40, volume),
        (150, None),
        (151, volume),
        (1000, None),
        (5000, volume),
    ];
    for (count, volume) in table {
        let file = png(&chart(&wave(count, 200.0, 9.0, volume), 2)).unwrap();
        assert!(file.len() < 80_000, "{count}: {} bytes", file.len());
        assert!(dark(&pixels(&file)) > 4000, "{count}");
    }
}

#[test]
fn rising_and_falling_differ_in_colour() {
    let drawn = |open: f64, close: f64| {
        let bar = Bar { at: at(0), open, high: 12.0, low: 8.0, close, volume: None };
        pixels(&png(&chart(&[bar], 2)).unwrap())
    };
    let count =
        |pixels: &[u8], colour: [u8; 3]| pixels.chunks(3).filter(|pixel| *pixel == colour).count();
    let (up, down) = (drawn(9.0, 11.0), drawn(11.0, 9.0));
    assert!(count(&up, [0, 0x72, 0xb2]) > count(&down, [0, 0x72, 0xb2]) + 1000);
    assert!(count(&down, [0xd5, 0x5e, 0]) > count(&up, [0xd5, 0x5e, 0]) + 1000);
}

#[test]
fn odd_prices_are_drawn() {
    let table = [
        ("all the same", vec![flat(0, 5.0), flat(1, 5.0), flat(2, 5.0)], 2),
        ("one bar of nothing", vec![flat(0, 0.0)], 0),
        ("below zero", wave(90, -10.0, 27.0, Some(3.0)), 2),
        ("huge", wave(90, 700_000.0, 900.0, None), 2),
        ("tiny", wave(90, 0.0001, 0.000_02, None), 6),
        ("tiny, by an exchange that quotes cents", wave(90, 0.0001, 0.000_02, None), 2),
        ("with noise of floats", vec![flat(0, 0.1 + 0.2), flat(1, 0.3)], 2),
        (
            "as far as floats go",
            vec![flat(0, 1e15), flat(1, -1e15), flat(2, f64::MIN_POSITIVE)],
            u32::MAX,
        ),
        (
            "beside what are no prices",
            vec![flat(0, f64::NAN), flat(1, 5.0), flat(2, f64::INFINITY)],
            2,
        ),
        ("no volume at all", wave(90, 5.0, 1.0, Some(0.0)), 2),
        ("volumes that are no numbers", wave(90, 5.0, 1.0, Some(f64::NAN)), 2),
        ("at one time", vec![flat(0, 5.0), flat(0, 6.0)], 2),
        (
            "at the ends of time",
            [Timestamp::MIN, Timestamp::MAX].map(|at| Bar { at, ..flat(0, 5.0) }).to_vec(),
            2,
        ),
    ];
    for (name, bars, decimals) in table {
        let file = png(&chart(&bars, decimals)).unwrap();
        assert!(dark(&pixels(&file)) > 1000, "{name}");
    }
}

#[test]
fn odd_titles_are_drawn() {
    let long = "a very long name ".repeat(1000);
    for text in ["", " ", "\u{0}\n\t", "\u{1f600} 任天堂 \u{202e}", &long] {
        let bars = wave(9, 5.0, 1.0, None);
        assert!(png(&Chart { title: text, subtitle: text, ..chart(&bars, 2) }).is_ok(), "{text}");
    }
}

#[test]
fn without_prices_there_is_no_picture() {
    for bars in [vec![], vec![flat(0, f64::NAN)]] {
        assert!(matches!(png(&chart(&bars, 2)), Err(Error::NoBars)));
    }
}

fn lines<'a>(times: &'a [Timestamp], panels: &'a [Panel<'a>]) -> Lines<'a> {
    Lines { title: "DU1234567", subtitle: "1 year, USD", zone: TimeZone::UTC, times, panels }
}

#[test]
fn lines_are_drawn_one_panel_above_the_other() {
    for count in [1, 2, 22, 366, 3000] {
        let times: Vec<Timestamp> = (0..count).map(|i| at(i * 1440)).collect();
        let wave =
            |size: f64| (0..count).map(|i| Some(size * (i as f64 / 9.0).sin())).collect::<Vec<_>>();
        let (returns, navs) = (wave(12.0), wave(90_000.0));
        let panel = |name, values, unit| Panel { name, values, decimals: 2, unit };
        let both = [panel("Return", &returns, "%"), panel("Value, USD", &navs, "")];
        let file = png_of_lines(&lines(&times, &both)).unwrap();
        assert!(file.len() < 80_000, "{count}: {} bytes", file.len());
        let two = dark(&pixels(&file));
        let one = dark(&pixels(&png_of_lines(&lines(&times, &both[..1])).unwrap()));
        assert!(one > 1000 && two > 1000, "{count}: {one} {two}");
    }
}

#[test]
fn a_line_has_gaps_and_is_none_without_values() {
    let times: Vec<Timestamp> = (0..4).map(|i| at(i * 1440)).collect();
    let table: [(&[Option<f64>], bool); 6] = [
        (&[Some(1.0), None, Some(f64::NAN), Some(-2.0)], true),
        (&[None, None, None, Some(5.0)], true),
        (&[Some(0.0); 4], true),
        (&[Some(1.0); 9], true),
        (&[None; 4], false),
        (&[Some(f64::INFINITY)], false),
    ];
    for (values, is_drawn) in table {
        let panels = [Panel { name: "x", values, decimals: 2, unit: "%" }];
        let drawn = png_of_lines(&lines(&times, &panels));
        assert_eq!(drawn.is_ok(), is_drawn, "{values:?}");
        assert!(is_drawn || matches!(drawn, Err(Error::NoValues)), "{values:?}");
    }
}
