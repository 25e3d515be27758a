//! Tables: as wide as the terminal at most. Where space lacks, long texts are shortened and the
//! less important columns left out; a row is always one line.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use jobrunner_core::{BatchId, UserId, terminal};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use uuid::Uuid;

use crate::exit::Failure;

/// Between two columns.
const GAP: usize = 2;

/// Columns that show times.
const TIMES: [&str; 4] = ["at", "created", "started", "finished"];

/// How many digits of the random end of an id are shown at least.
pub(crate) const DIGITS: usize = 8;

/// One column of a table about things of one kind.
pub(crate) struct Column<T> {
    /// What it is called in `--columns`; its heading in capitals.
    pub(crate) name: &'static str,
    pub(crate) cell: fn(&T, &Context) -> String,
    /// How narrow it may be made.
    pub(crate) narrowest: Narrowest,
    /// Whether it is shown unless others are asked for.
    pub(crate) is_usual: bool,
}

/// What may become of a column where space lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Narrowest {
    /// It stays whole.
    Whole,
    /// It is shortened to so many letters.
    Cut(usize),
    /// It is left out, the one with the largest number first.
    Drop(u8),
    /// It is shortened to so many letters, and then left out.
    CutOrDrop(usize, u8),
}

impl Narrowest {
    const fn width(self, natural: usize) -> usize {
        match self {
            Self::Cut(least) | Self::CutOrDrop(least, _) if least < natural => least,
            _ => natural,
        }
    }

    const fn dispensable(self) -> u8 {
        match self {
            Self::Drop(rank) | Self::CutOrDrop(_, rank) => rank,
            Self::Whole | Self::Cut(_) => 0,
        }
    }
}

/// What cells are made with, besides the thing that they are about.
pub(crate) struct Context {
    pub(crate) now: DateTime<Utc>,
    /// How many digits of ids are shown.
    pub(crate) digits: usize,
    pub(crate) owners: HashMap<UserId, String>,
    pub(crate) batches: HashMap<BatchId, String>,
}

impl Context {
    /// For ids that are shown together, as short as they can be told apart.
    pub(crate) fn of(ids: impl Iterator<Item = Uuid> + Clone) -> Self {
        let (owners, batches) = (HashMap::new(), HashMap::new());
        Self { now: Utc::now(), digits: digits(ids), owners, batches }
    }

    pub(crate) fn id(&self, id: Uuid) -> String {
        short(id, self.digits)
    }
}

/// The end of an id, which is random: what comes before is the time, which ids of one moment share.
pub(crate) fn short(id: Uuid, digits: usize) -> String {
    let whole = id.simple().to_string();
    match whole.len().checked_sub(digits) {
        Some(0) | None => id.to_string(),
        Some(from) => whole[from..].to_owned(),
    }
}

/// The fewest digits that tell these ids apart.
fn digits(ids: impl Iterator<Item = Uuid> + Clone) -> usize {
    let all = [DIGITS, 12, 16];
    let are_enough = |digits: &usize| {
        let mut seen = std::collections::HashSet::new();
        ids.clone().all(|id| seen.insert(short(id, *digits)))
    };
    all.into_iter().find(are_enough).unwrap_or(32)
}

/// The columns that are asked for, or else the usual ones.
pub(crate) fn chosen<'a, T>(
    columns: &'a [Column<T>],
    names: &[String],
) -> Result<Vec<&'a Column<T>>, Failure> {
    if names.is_empty() {
        return Ok(columns.iter().filter(|column| column.is_usual).collect());
    }
    let find = |name: &String| {
        let wanted = name.trim().to_lowercase();
        let known = columns.iter().find(|column| column.name == wanted);
        known.ok_or_else(|| {
            let known: Vec<&str> = columns.iter().map(|column| column.name).collect();
            Failure::usage(format!("there is no column {name:?}; there are: {}", known.join(",")))
        })
    };
    names.iter().map(find).collect()
}

/// Things under headings, as text of several lines, no wider than that.
pub(crate) fn rendered<T>(
    columns: &[&Column<T>],
    things: &[T],
    context: &Context,
    width: Option<usize>,
) -> String {
    let heading = |column: &&Column<T>| {
        let zone = if TIMES.contains(&column.name) { " (UTC)" } else { "" };
        format!("{}{zone}", column.name.replace('_', " ").to_uppercase())
    };
    let mut rows = vec![columns.iter().map(heading).collect::<Vec<_>>()];
    let row = |thing: &T| {
        let cells = columns.iter().map(|column| (column.cell)(thing, context));
        cells.map(|cell| terminal::line(&cell).trim().to_owned()).collect()
    };
    rows.extend(things.iter().map(row));
    let limits: Vec<Narrowest> = columns.iter().map(|column| column.narrowest).collect();
    laid_out(&rows, &limits, width)
}

fn laid_out(rows: &[Vec<String>], limits: &[Narrowest], width: Option<usize>) -> String {
    let natural: Vec<usize> = (0..limits.len())
        .map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0))
        .collect();
    let (kept, widths) = fitted(&natural, limits, width.unwrap_or(usize::MAX));
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (place, column) in kept.iter().enumerate() {
            let cell = cut(&row[*column], widths[place]);
            line.push_str(&cell);
            let padding = (widths[place] + GAP).saturating_sub(cell.width());
            line.extend(std::iter::repeat_n(' ', padding));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// Which columns fit, and how wide each may be.
fn fitted(natural: &[usize], limits: &[Narrowest], width: usize) -> (Vec<usize>, Vec<usize>) {
    let mut kept: Vec<usize> = (0..limits.len()).collect();
    let total =
        |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    loop {
        let least: Vec<usize> = kept.iter().map(|at| limits[*at].width(natural[*at])).collect();
        let dispensable = kept.iter().copied().max_by_key(|at| limits[*at].dispensable());
        match dispensable.filter(|at| limits[*at].dispensable() > 0) {
            Some(column) if total(&least) > width => kept.retain(|at| *at != column),
            _ => {
                let mut widths: Vec<usize> = kept.iter().map(|at| natural[*at]).collect();
                while total(&widths) > width {
                    // The widest of those that may be shortened.
                    let widest = (0..widths.len())
                        .filter(|at| widths[*at] > least[*at])
                        .max_by_key(|at| widths[*at]);
                    match widest {
                        Some(at) => widths[at] -= 1,
                        None => break,
                    }
                }
                return (kept, widths);
            }
        }
    }
}

/// A text of at most so many columns of a terminal; one that was longer ends with `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(letter);
    }
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: usize) -> String {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["ID", "NAME", "QUEUE", "WHY"]),
            row(["5c1f09ab", "a rather long name of a test", "default", "it exited with code 3"]),
            row(["77aa01bc", "b", "default", ""]),
        ];
        let limits =
            [Narrowest::Whole, Narrowest::Cut(8), Narrowest::Drop(1), Narrowest::CutOrDrop(10, 2)];
        laid_out(&rows, &limits, Some(width))
    }

    #[test]
    fn tables_fit_by_shortening_and_then_by_leaving_out() {
        let wide = table(200);
        assert!(wide.contains("a rather long name of a test  default  it exited with code 3"));
        assert_eq!(wide.lines().count(), 3);
        for width in [28, 39, 40, 45, 60, 70] {
            let shown = table(width);
            assert_eq!(shown.lines().count(), 3, "{shown}");
            for line in shown.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
            assert!(shown.contains("5c1f09ab") && shown.contains("77aa01bc"), "{shown}");
        }
        assert!(table(45).contains("a rather") && table(45).contains("it exit"), "{}", table(45));
        let narrow = table(30);
        assert!(!narrow.contains("WHY") && narrow.contains("QUEUE"), "{narrow}");
        assert!(!table(20).contains("QUEUE"), "{}", table(20));
        assert_eq!(table(1).lines().next(), Some("ID        NAME"), "ids are never shortened");
    }

    #[test]
    fn wide_letters_count_twice() {
        assert_eq!(cut("日本語の名前", 7), "日本語…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("nothing", 7), "nothing");
    }

    #[test]
    fn ids_are_as_short_as_they_can_be_told_apart() {
        let id = |text: &str| Uuid::parse_str(text).expect("an id");
        let one = id("0199c2f4-a1b2-7c3d-8e4f-0a1b5c1f09ab");
        let next = id("0199c2f4-a1b2-7c3d-8e4f-0a1c5c1f09ab");
        let far = id("0199c2f4-a1b2-7c3d-8e4f-0a1b77aa01bc");
        assert_eq!(digits([one, far].into_iter()), 8);
        assert_eq!(digits([one, next].into_iter()), 12);
        assert_eq!(digits([one, one].into_iter()), 32);
        assert_eq!((short(one, 8), short(one, 32)), ("5c1f09ab".to_owned(), one.to_string()));
    }
}
