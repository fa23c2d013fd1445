//! Pixels, letters, and the file that they end as.

use crate::{Error, palette};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash,
    Transform,
};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

static FONT: &[u8] = include_bytes!("../fonts/DejaVuSansCondensed.ttf");

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// A picture that is being drawn. What cannot be drawn, a rectangle without a size, say, is left out.
pub struct Canvas {
    pixels: Pixmap,
    face: Face<'static>,
}

impl Canvas {
    /// A white one.
    pub fn new(width: u32, height: u32) -> Result<Canvas, Error> {
        let mut pixels = Pixmap::new(width, height).ok_or(Error::Room)?;
        pixels.fill(Color::WHITE);
        Ok(Canvas { pixels, face: Face::parse(FONT, 0)? })
    }

    /// From the left and top to the right and bottom. Whole numbers make sharp edges.
    pub fn rectangle(&mut self, left: f32, top: f32, right: f32, bottom: f32, colour: Rgb) {
        if let Some(rectangle) = Rect::from_ltrb(left, top, right, bottom) {
            self.pixels.fill_rect(rectangle, &paint(colour), Transform::identity(), None);
        }
    }

    /// The area within these points.
    pub fn area(&mut self, points: impl IntoIterator<Item = (f32, f32)>, colour: Rgb) {
        if let Some(path) = path(points) {
            self.fill(&path, colour);
        }
    }

    /// A line through these points.
    pub fn line(&mut self, points: impl IntoIterator<Item = (f32, f32)>, width: f32, colour: Rgb) {
        let stroke = Stroke {
            width,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        if let Some(path) = path(points) {
            self.pixels.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
        }
    }

    /// A level line of dashes.
    pub fn dashes(&mut self, left: f32, right: f32, y: f32, colour: Rgb) {
        let stroke = Stroke { dash: StrokeDash::new(vec![5.0, 5.0], 0.0), ..Stroke::default() };
        if let Some(path) = path([(left, y + 0.5), (right, y + 0.5)]) {
            self.pixels.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
        }
    }

    /// A text from there to the right, standing on `y`.
    pub fn text(&mut self, text: &str, x: f32, y: f32, size: f32, colour: Rgb) {
        let scale = self.scale(size);
        let mut pen = Pen { path: PathBuilder::new(), scale, x, y };
        for glyph in glyphs(&self.face, text) {
            // Blanks have no outline.
            let _ = self.face.outline_glyph(glyph, &mut pen);
            pen.x += advance(&self.face, glyph) * scale;
        }
        if let Some(path) = pen.path.finish() {
            self.fill(&path, colour);
        }
    }

    /// How wide it is in that size.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        glyphs(&self.face, text).map(|glyph| advance(&self.face, glyph)).sum::<f32>()
            * self.scale(size)
    }

    /// As much of it as there is room for.
    pub fn fit(&self, text: &str, size: f32, room: f32) -> String {
        let ellipsis = self.width("…", size);
        let (mut kept, mut used) = (String::new(), 0.0);
        for c in text.chars() {
            let width = self.width(c.encode_utf8(&mut [0; 4]), size);
            // The last letter may take the room of the ellipsis, but then it is the last.
            if used + width + ellipsis > room
                && self.width(text.get(kept.len()..).unwrap_or(""), size) > room - used
            {
                return kept.trim_end().to_owned() + "…";
            }
            kept.push(c);
            used += width;
        }
        kept
    }

    /// As a PNG.
    pub fn encode(self) -> Result<Vec<u8>, Error> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.pixels.width(), self.pixels.height());
        // Everything lies on white, so nothing shines through.
        let colours =
            self.pixels.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]);
        // A byte for a pixel makes half the file of three.
        let (palette, indexes) = palette::indexed(colours);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.concat());
        encoder.set_compression(png::Compression::High);
        // Filters guess colours from those beside them, and the numbers of colours cannot be guessed.
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&indexes)?;
        writer.finish()?;
        Ok(file)
    }

    fn fill(&mut self, path: &Path, colour: Rgb) {
        self.pixels.fill_path(path, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }

    fn scale(&self, size: f32) -> f32 {
        size / f32::from(self.face.units_per_em())
    }
}

fn paint([red, green, blue]: Rgb) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn path(points: impl IntoIterator<Item = (f32, f32)>) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (x, y) in points {
        if path.is_empty() { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path.finish()
}

/// What the font has not is its first glyph, a box.
fn glyphs(face: &Face<'_>, text: &str) -> impl Iterator<Item = GlyphId> {
    let whole = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    whole.map(move |c| face.glyph_index(c).unwrap_or(GlyphId(0)))
}

fn advance(face: &Face<'_>, glyph: GlyphId) -> f32 {
    face.glyph_hor_advance(glyph).map_or(0.0, f32::from)
}

/// Puts a font's outlines, whose y goes up, where the next letter stands.
struct Pen {
    path: PathBuilder,
    scale: f32,
    x: f32,
    y: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
