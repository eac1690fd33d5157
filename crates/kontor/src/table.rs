//! Tables for people: in columns where they fit, line by line where a terminal is too narrow for them.

use unicode_width::UnicodeWidthStr as _;

use crate::terminal::{Style, Terminal, plain};

/// Rows under titles; foreign text in them is neutralised.
#[derive(Debug)]
pub struct Table {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table that begins with a line of titles.
    pub fn titled(titles: &[&str]) -> Self {
        Self { titles: titles.iter().map(|title| (*title).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    /// The table as text that fits the terminal, its titles dim where there are colours.
    pub fn render(&self, terminal: &Terminal) -> String {
        let widths = self.widths();
        let total = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        match terminal.columns() {
            Some(columns) if total > columns => self.below_each_other(terminal),
            _ => self.beside_each_other(&widths, terminal),
        }
    }

    fn widths(&self) -> Vec<usize> {
        let lines = || std::iter::once(&self.titles).chain(&self.rows);
        let columns = lines().map(Vec::len).max().unwrap_or(0);
        (0..columns)
            .map(|column| lines().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
            .collect()
    }

    fn beside_each_other(&self, widths: &[usize], terminal: &Terminal) -> String {
        let line = |row: &Vec<String>| {
            let padded: Vec<String> = row.iter().zip(widths).map(|(cell, width)| pad(cell, *width)).collect();
            padded.join("  ").trim_end().to_owned()
        };
        let titles = terminal.paint(Style::Dim, &line(&self.titles));
        std::iter::once(titles).chain(self.rows.iter().map(line)).collect::<Vec<_>>().join("\n")
    }

    /// Nothing is cut: the first cell leads, the others that say something follow, each with its title.
    fn below_each_other(&self, terminal: &Terminal) -> String {
        let widest = self.titles.iter().skip(1).map(|title| title.width()).max().unwrap_or(0);
        let mut lines = Vec::new();
        for row in &self.rows {
            lines.push(terminal.paint(Style::Bold, row.first().map(String::as_str).unwrap_or_default()));
            for (title, cell) in self.titles.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty()) {
                lines.push(format!("  {}  {cell}", terminal.paint(Style::Dim, &pad(title, widest))));
            }
        }
        lines.join("\n")
    }
}

fn pad(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::terminal::Terminal;

    #[test]
    fn a_narrow_terminal_gets_every_cell_on_a_line_of_its_own() {
        let mut table = Table::titled(&["skill", "version", "note"]);
        table.row(["@acme/会议纪要".to_owned(), "1.0.0".to_owned(), String::new()]);
        table.row(["@acme/pdf".to_owned(), "2.0.0".to_owned(), "yanked".to_owned()]);
        let terminal = Terminal::detect(false, false);
        assert_eq!(
            table.below_each_other(&terminal),
            "@acme/会议纪要\n  version  1.0.0\n@acme/pdf\n  version  2.0.0\n  note     yanked"
        );
        assert_eq!(
            table.beside_each_other(&table.widths(), &terminal),
            "skill           version  note\n@acme/会议纪要  1.0.0\n@acme/pdf       2.0.0    yanked"
        );
    }
}
