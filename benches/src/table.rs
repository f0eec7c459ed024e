//! Tables, in the form in which a README has them.

/// A table that prints itself in columns, as Markdown.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    #[must_use]
    pub fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|cell| (*cell).to_owned()).collect());
    }

    pub fn print(&self, title: &str) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        println!("\n{title}\n");
        for (at, row) in self.rows.iter().enumerate() {
            let cells = (0..columns).map(|column| {
                let cell = row.get(column).map_or("", String::as_str);
                let blanks = width(column).saturating_sub(cell.chars().count());
                format!(" {cell}{} |", " ".repeat(blanks))
            });
            println!("|{}", cells.collect::<String>());
            if at == 0 {
                println!(
                    "|{}",
                    (0..columns)
                        .map(|column| format!("{}|", "-".repeat(width(column) + 2)))
                        .collect::<String>()
                );
            }
        }
    }
}

/// Whether something is at most as much as it may be.
#[must_use]
pub fn at_most(is: f64, target: f64) -> &'static str {
    if is <= target { "met" } else { "NOT met" }
}

/// Whether something is at least as much as it should be.
#[must_use]
pub fn at_least(is: f64, target: f64) -> &'static str {
    if is >= target { "met" } else { "NOT met" }
}
