use unicode_width::UnicodeWidthChar;

use super::{Piece, Run, Style};

/// How many columns of a line can be written over. Of a longer one, what came before stays as it
/// is.
pub(super) const LONGEST: usize = 4096;

/// How far into a line nothing but a command moves the cursor.
const WIDTH: usize = 160;

/// How many marks a character may have.
const MARKS: usize = 16;

const TAB: usize = 8;

/// The line that is being written.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// One for each column.
    cells: Vec<Cell>,
    column: usize,
    /// How many columns pieces have shown.
    shown: usize,
    /// Whether one of those was changed since.
    changed: bool,
    /// Whether columns before these were shown that cannot be changed any more.
    goes_on: bool,
}

#[derive(Clone, Debug)]
struct Cell {
    glyph: Glyph,
    style: Style,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Glyph {
    One(char),
    /// A character with marks that take no column of their own.
    Marked(Box<str>),
    /// More of the column before: of a wide character, or of a tab.
    Rest,
}

const BLANK: Cell = Cell {
    glyph: Glyph::One(' '),
    style: Style {
        foreground: None,
        background: None,
        bold: false,
        dim: false,
        italic: false,
        underline: false,
    },
};

impl Row {
    /// Writes a character at the cursor, over what is there.
    pub(super) fn write(&mut self, character: char, style: Style, pieces: &mut Vec<Piece>) {
        let width = character.width().unwrap_or(0);
        if width == 0 && self.mark(character) {
            return;
        }
        self.make_room(pieces);
        let cell = Cell { glyph: Glyph::One(character), style };
        self.put(cell.clone());
        for _ in 1..width {
            self.put(Cell { glyph: Glyph::Rest, ..cell.clone() });
        }
    }

    /// Moves the cursor to the next tab stop; behind the end of the line the tab is kept as text.
    pub(super) fn tab(&mut self, style: Style, pieces: &mut Vec<Piece>) {
        let stop = (self.column / TAB + 1) * TAB;
        if stop <= self.cells.len() {
            self.column = stop;
            return;
        }
        self.column = self.column.max(self.cells.len());
        self.make_room(pieces);
        self.put(Cell { glyph: Glyph::One('\t'), style });
        while !self.column.is_multiple_of(TAB) {
            self.put(Cell { glyph: Glyph::Rest, style });
        }
    }

    pub(super) fn go_to(&mut self, column: usize) {
        self.column = column.min(self.cells.len().max(WIDTH));
    }

    pub(super) fn forward(&mut self, columns: usize) {
        self.go_to(self.column.saturating_add(columns));
    }

    pub(super) fn back(&mut self, columns: usize) {
        self.column = self.column.saturating_sub(columns);
    }

    pub(super) fn erase_from_cursor(&mut self) {
        if self.goes_on || self.column >= self.cells.len() {
            return;
        }
        self.split(self.column);
        self.cells.truncate(self.column);
        self.changed |= self.shown > self.column;
    }

    pub(super) fn erase_to_cursor(&mut self) {
        self.blank_from(0, self.column + 1);
    }

    pub(super) fn erase(&mut self) {
        if !self.goes_on {
            self.cells.clear();
            self.changed |= self.shown > 0;
        }
    }

    /// Erases so many columns from the cursor on.
    pub(super) fn blank(&mut self, columns: usize) {
        self.blank_from(self.column, columns);
    }

    /// Ends the line, and begins the next one.
    pub(super) fn end(&mut self) -> Piece {
        let piece = self.piece().unwrap_or_default();
        *self = Self { cells: std::mem::take(&mut self.cells), ..Self::default() };
        self.cells.clear();
        Piece { ends: true, ..piece }
    }

    /// What changed since the last piece.
    pub(super) fn piece(&mut self) -> Option<Piece> {
        let over = self.changed && self.shown > 0;
        let from = if over { 0 } else { self.shown };
        let is_new = from < self.cells.len();
        let runs = runs(&self.cells[from.min(self.cells.len())..]);
        (self.shown, self.changed) = (self.cells.len(), false);
        (over || is_new).then_some(Piece { over, runs, ends: false })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Gives the character before the cursor a mark, if there is one that can have it.
    fn mark(&mut self, mark: char) -> bool {
        let before = self.cells.get(..self.column).unwrap_or_default();
        let Some(at) = before.iter().rposition(|cell| cell.glyph != Glyph::Rest) else {
            return false;
        };
        if self.goes_on && at < self.shown {
            return false;
        }
        let glyph = &mut self.cells[at].glyph;
        *glyph = match glyph {
            Glyph::One('\t') | Glyph::Rest => return false,
            Glyph::One(character) => Glyph::Marked([*character, mark].iter().collect()),
            Glyph::Marked(text) if text.chars().count() <= MARKS => {
                Glyph::Marked(text.chars().chain([mark]).collect())
            }
            Glyph::Marked(_) => return false,
        };
        self.changed |= at < self.shown;
        true
    }

    /// Makes sure that a character can be written at the cursor.
    fn make_room(&mut self, pieces: &mut Vec<Piece>) {
        if self.column < self.cells.len() {
            // What was shown of so long a line stays, and what would be written over it gets a line
            // of its own.
            if self.goes_on {
                pieces.push(self.end());
            }
            return;
        }
        if self.column + TAB > LONGEST {
            pieces.extend(self.piece());
            self.cells.clear();
            (self.column, self.shown, self.goes_on) = (0, 0, true);
        }
        self.cells.resize(self.column, BLANK);
    }

    fn put(&mut self, cell: Cell) {
        if self.column < self.cells.len() {
            self.split(self.column);
            self.split(self.column + 1);
            self.cells[self.column] = cell;
            self.changed |= self.column < self.shown;
        } else {
            self.cells.push(cell);
        }
        self.column += 1;
    }

    /// Makes a column begin a character: one that it lies within is left blank.
    fn split(&mut self, column: usize) {
        let is_rest = |cell: &Cell| cell.glyph == Glyph::Rest;
        if !self.cells.get(column).is_some_and(is_rest) {
            return;
        }
        let first = self.cells[..column].iter().rposition(|cell| !is_rest(cell)).unwrap_or(0);
        let rest = self.cells[column..].iter().take_while(|cell| is_rest(cell)).count();
        self.cells[first..column + rest].fill(BLANK);
        self.changed |= first < self.shown;
    }

    fn blank_from(&mut self, from: usize, columns: usize) {
        let to = from.saturating_add(columns).min(self.cells.len());
        if self.goes_on || from >= to {
            return;
        }
        self.split(from);
        self.split(to);
        self.cells[from..to].fill(BLANK);
        self.changed |= from < self.shown;
    }
}

fn runs(cells: &[Cell]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for cell in cells {
        if cell.glyph == Glyph::Rest {
            continue;
        }
        if runs.last().is_none_or(|run| run.style != cell.style) {
            runs.push(Run { style: cell.style, text: String::new() });
        }
        let Some(run) = runs.last_mut() else { continue };
        match &cell.glyph {
            Glyph::One(character) => run.text.push(*character),
            Glyph::Marked(text) => run.text.push_str(text),
            Glyph::Rest => {}
        }
    }
    runs
}
