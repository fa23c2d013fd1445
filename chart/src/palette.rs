//! The few colours of a picture. Smooth edges make some hundreds of them, and a palette has room for 256.

use crate::canvas::Rgb;
use std::cmp::Reverse;
use std::collections::HashMap;

const MOST: usize = 256;

/// The colours used most, and for every pixel the number of its colour or of the one nearest to it.
pub fn indexed(pixels: impl Iterator<Item = Rgb> + Clone) -> (Vec<Rgb>, Vec<u8>) {
    let mut counts: HashMap<Rgb, usize> = HashMap::new();
    for (colour, count) in runs(pixels.clone()) {
        *counts.entry(colour).or_default() += count;
    }
    let mut colours: Vec<(Rgb, usize)> = counts.into_iter().collect();
    colours.sort_by_key(|(colour, count)| (Reverse(*count), *colour));
    let colours: Vec<Rgb> = colours.into_iter().map(|(colour, _)| colour).collect();
    let (palette, rest) = colours.split_at(colours.len().min(MOST));

    let near =
        |colour: &Rgb| (0u8..=255).zip(palette).min_by_key(|(_, known)| distance(colour, known));
    let own = (0u8..=255).zip(palette).map(|(i, colour)| (*colour, i));
    let others = rest.iter().filter_map(|colour| Some((*colour, near(colour)?.0)));
    let numbers: HashMap<Rgb, u8> = own.chain(others).collect();

    let number = |colour: &Rgb| numbers.get(colour).copied().unwrap_or(0);
    let indexes =
        runs(pixels).flat_map(|(colour, count)| std::iter::repeat_n(number(&colour), count));
    (palette.to_vec(), indexes.collect())
}

/// Equal pixels in a row, and how many: to look a colour up is slow, and most pixels are like the one before.
fn runs(pixels: impl Iterator<Item = Rgb>) -> impl Iterator<Item = (Rgb, usize)> {
    let mut pixels = pixels.peekable();
    std::iter::from_fn(move || {
        let colour = pixels.next()?;
        let mut count = 1;
        while pixels.next_if_eq(&colour).is_some() {
            count += 1;
        }
        Some((colour, count))
    })
}

fn distance(a: &Rgb, b: &Rgb) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_most_comes_first() {
        let (a, b) = ([1, 2, 3], [4, 5, 6]);
        assert_eq!(indexed([b, a, a].into_iter()), (vec![a, b], vec![1, 0, 0]));
        assert_eq!(indexed([].into_iter()), (vec![], vec![]));
    }

    #[test]
    fn too_many_colours_become_the_nearest() {
        let often = (0..=255).flat_map(|i| [[i, 0, 0]; 2]);
        let (palette, indexes) = indexed(often.chain([[9, 1, 1]]));
        assert_eq!(palette.len(), 256);
        let last = indexes.last().and_then(|i| palette.get(usize::from(*i)));
        assert_eq!(last, Some(&[9, 0, 0]));
    }
}
