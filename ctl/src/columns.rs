//! Rows in columns, as wide as what stands in them.

use crate::terminal::plain;

/// A heading and a line for each row. A column in which nothing stands is left out; the last column
/// is as long as it wants to be.
pub(crate) fn lines<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| row.each_ref().map(|cell| plain(cell))).collect();
    let kept: Vec<usize> =
        (0..N).filter(|&at| rows.iter().any(|row| !row[at].is_empty())).collect();
    let heading = head.map(str::to_owned);
    let all = || std::iter::once(&heading).chain(&rows);
    let widths: Vec<usize> = kept
        .iter()
        .map(|&at| all().map(|row| row[at].chars().count()).max().unwrap_or_default())
        .collect();
    let line = |row: &[String; N]| {
        let cells = kept.iter().zip(&widths).map(|(&at, &width)| match row[at].as_str() {
            "" => format!("{:<width$}", "-"),
            cell => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_needed_and_empty_ones_are_left_out() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let told = lines(["ID", "NOTE", "TEXT"], &[row(["1", "", "one"]), row(["22222", "", ""])]);
        assert_eq!(told, ["ID     TEXT", "1      one", "22222  -"]);
    }
}
