//! Small systems of linear equations.

/// Solves a system whose rows end with their right-hand side, by elimination with partial pivoting. None if it is
/// singular.
pub(crate) fn solve<const N: usize, const M: usize>(mut rows: [[f64; M]; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let rest = rows.get_mut(column..)?;
        let size = |row: &[f64; M]| row.get(column).map_or(0.0, |cell| cell.abs());
        let largest = (0..rest.len()).max_by(|one, other| {
            let size = |index: &usize| rest.get(*index).map_or(0.0, size);
            size(one).total_cmp(&size(other))
        })?;
        rest.swap(0, largest);
        let (pivot, below) = rest.split_first_mut()?;
        let head = *pivot.get(column)?;
        if head == 0.0 || !head.is_finite() {
            return None;
        }
        for row in below {
            let factor = row.get(column)? / head;
            for (cell, above) in row.iter_mut().zip(pivot.iter()).skip(column) {
                *cell -= factor * above;
            }
        }
    }
    let mut solution = [0.0; N];
    for (index, row) in rows.iter().enumerate().rev() {
        let known = row.iter().zip(&solution).skip(index + 1).map(|(cell, value)| cell * value);
        let right = row.get(N)? - known.sum::<f64>();
        *solution.get_mut(index)? = right / row.get(index)?;
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_with_a_nil_pivot() {
        let solved = solve([[0.0, 2.0, 4.0], [3.0, 1.0, 5.0]]);
        assert_eq!(solved, Some([1.0, 2.0]));
    }

    #[test]
    fn refuses_a_singular_system() {
        assert_eq!(solve([[1.0, 2.0, 4.0], [2.0, 4.0, 5.0]]), None);
    }
}
