//! Exact decimals with twelve places: sums in a statement must agree to the last digit.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

const PLACES: u32 = 12;
const ONE: i128 = 10i128.pow(PLACES);

/// A decimal number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dec(i128);

impl Dec {
    pub(crate) const ZERO: Self = Self(0);

    /// A whole number.
    pub(crate) const fn whole(number: i64) -> Self {
        Self(number as i128 * ONE)
    }

    /// `units` of the last of so many places: `parts(263, 2)` is 2.63.
    pub(crate) const fn parts(units: i64, places: u32) -> Self {
        Self(units as i128 * 10i128.pow(PLACES - places))
    }

    /// The nearest number with so many places.
    pub(crate) fn near(value: f64, places: u32) -> Self {
        let units = (value * 10f64.powi(places.cast_signed())).round();
        Self(units as i128 * 10i128.pow(PLACES - places))
    }

    /// Rounded half away from zero.
    pub(crate) fn round(self, places: u32) -> Self {
        let step = 10i128.pow(PLACES - places);
        Self(div(self.0, step) * step)
    }

    /// Rounded towards minus infinity to a multiple of `step`.
    pub(crate) fn down_to(self, step: Self) -> Self {
        Self(self.0.div_euclid(step.0.max(1)) * step.0)
    }

    /// The product.
    pub(crate) fn times(self, other: Self) -> Self {
        Self(div(self.0 * other.0, ONE))
    }

    /// `self * part / whole` with four places.
    pub(crate) fn share(self, part: Self, whole: Self) -> Self {
        let (part, whole) = (part.0 / 1_000_000, whole.0 / 1_000_000);
        if whole == 0 { Self::ZERO } else { Self(div(self.0 * part, whole)).round(4) }
    }

    /// `self / other` with so many places.
    pub(crate) fn over(self, other: Self, places: u32) -> Self {
        if other.0 == 0 { Self::ZERO } else { Self::near(self.float() / other.float(), places) }
    }

    pub(crate) fn float(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    pub(crate) fn abs(self) -> Self {
        Self(self.0.abs())
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Itself if it is above zero, else nothing.
    pub(crate) fn positive(self) -> Self {
        Self(self.0.max(0))
    }

    /// Itself if it is below zero, else nothing.
    pub(crate) fn negative(self) -> Self {
        Self(self.0.min(0))
    }
}

fn div(value: i128, by: i128) -> i128 {
    let half = by.abs() / 2;
    let sign = if (value < 0) == (by < 0) { 1 } else { -1 };
    sign * ((value.abs() + half) / by.abs())
}

impl Add for Dec {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Dec {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Dec {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Dec {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Dec {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Dec {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, mut part) = (self.0.abs() / ONE, self.0.abs() % ONE);
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let mut places = PLACES as usize;
        while part % 10 == 0 {
            part /= 10;
            places -= 1;
        }
        write!(f, "{sign}{whole}.{part:0places$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_exact_and_shows_no_needless_zeros() {
        let price = Dec::near(271.26, 4);
        assert_eq!((price.times(Dec::whole(-5))).to_string(), "-1356.3");
        assert_eq!(Dec::parts(263_750, 4).to_string(), "26.375");
        assert_eq!(Dec::whole(-7).round(2).to_string(), "-7");
        assert_eq!(Dec::near(-0.000_05, 5).round(4).to_string(), "-0.0001");
        assert_eq!(Dec::whole(10).share(Dec::whole(1), Dec::whole(3)).to_string(), "3.3333");
        assert_eq!(Dec::near(-1234.5, 1).down_to(Dec::whole(100)), Dec::whole(-1300));
    }
}
