//! Tables that fit the terminal.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, presets};

use super::{Tone, line, plain, width};

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A table in the making.
#[derive(Debug)]
pub struct Table {
    inner: comfy_table::Table,
    columns: Vec<Align>,
    rows: usize,
}

impl Table {
    /// A table with these headings.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        // Always with colour: what writes to something other than a terminal takes it out again.
        inner.set_width(width()).enforce_styling();
        inner.set_header(columns.iter().map(|(name, align)| cell(name, Tone::Bold, *align)));
        for (index, (_, align)) in columns.iter().enumerate() {
            if let Some(column) = inner.column_mut(index) {
                column.set_padding((0, 2));
                if *align == Align::Right {
                    // A figure that is broken over two lines is no figure.
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        Self { inner, columns: columns.iter().map(|(_, align)| *align).collect(), rows: 0 }
    }

    /// Adds a row, each cell in its tone.
    pub fn row(&mut self, cells: impl IntoIterator<Item = (String, Tone)>) {
        let cells = cells.into_iter().zip(self.columns.iter().chain(std::iter::repeat(&Align::Left)));
        let cells: Vec<Cell> = cells.map(|((text, tone), align)| cell(&plain(&text), tone, *align)).collect();
        self.inner.add_row(cells);
        self.rows += 1;
    }

    /// Whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Writes it to standard output.
    pub fn print(&self) {
        use std::io::IsTerminal as _;
        let coloured = std::io::stdout().is_terminal();
        for text in self.inner.to_string().lines() {
            if coloured {
                line(text);
            } else {
                // The filling at the end of a row is of no use to a program.
                line(anstream::adapter::strip_str(text).to_string().trim_end());
            }
        }
    }
}

fn cell(text: &str, tone: Tone, align: Align) -> Cell {
    let cell = Cell::new(text).set_alignment(match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    });
    match tone {
        Tone::Plain => cell,
        Tone::Good => cell.fg(Color::DarkGreen),
        Tone::Warn => cell.fg(Color::DarkYellow),
        Tone::Bad => cell.fg(Color::DarkRed).add_attribute(Attribute::Bold),
        Tone::Dim => cell.add_attribute(Attribute::Dim),
        Tone::Bold => cell.add_attribute(Attribute::Bold),
    }
}

/// Writes a table of plain cells: a column whose every cell begins like a number stands to the right.
pub fn table(headings: &[&str], rows: &[Vec<String>]) {
    let figure = |column: usize| {
        let mut cells =
            rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).peekable();
        cells.peek().is_some()
            && cells
                .all(|cell| cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.' | ',' | '%')))
    };
    let columns: Vec<(&str, Align)> = headings
        .iter()
        .enumerate()
        .map(|(index, name)| (*name, if figure(index) { Align::Right } else { Align::Left }))
        .collect();
    let mut table = Table::new(&columns);
    for row in rows {
        table.row(row.iter().map(|cell| (cell.clone(), Tone::Plain)));
    }
    table.print();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fits_the_width_and_keeps_figures_whole() {
        let mut table = Table::new(&[("symbol", Align::Left), ("value", Align::Right), ("why", Align::Left)]);
        table.inner.set_width(40);
        let why = "a long sentence that goes on and on until it has to be broken".to_owned();
        table.row([("TCS".into(), Tone::Good), ("12,34,567.89".into(), Tone::Plain), (why, Tone::Plain)]);
        let shown = anstream::adapter::strip_str(&table.inner.to_string()).to_string();
        assert!(shown.lines().all(|line| line.trim_end().chars().count() <= 40), "{shown}");
        assert!(shown.contains("12,34,567.89"), "{shown}");
        assert!(!table.is_empty());
    }
}
