//! Text that is safe inside HTML, and small pieces of it.

use std::fmt::{self, Display, Write as _};

/// Text as HTML shows it: nothing in it is markup.
pub struct Esc<T>(pub T);

impl<T: Display> Display for Esc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                // Not allowed in HTML at all.
                c if c.is_control() && !matches!(c, '\n' | '\t') => self.0.write_char('\u{fffd}')?,
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A column of a table.
pub struct Column {
    /// Its heading.
    pub name: &'static str,
    /// Whether it holds figures.
    pub figure: bool,
}

/// A column of words.
pub const fn words(name: &'static str) -> Column {
    Column { name, figure: false }
}

/// A column of figures.
pub const fn figures(name: &'static str) -> Column {
    Column { name, figure: true }
}

/// The beginning of a table with a filter and a caption; `id` must be unique on the page.
pub fn table_head(out: &mut String, id: &str, caption: &str, columns: &[Column]) {
    put(
        out,
        format_args!(
            "<div class=\"filter\"><label>Filter {caption} <input type=\"search\" data-table=\"{id}\" \
             autocomplete=\"off\"></label> <output id=\"{id}-count\" aria-live=\"polite\"></output></div>\
             <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\
             <table id=\"{id}\"><thead><tr>",
            caption = Esc(caption),
        ),
    );
    for column in columns {
        let class = if column.figure { " class=\"n\"" } else { "" };
        put(out, format_args!("<th scope=\"col\"{class}>{}</th>", Esc(column.name)));
    }
    out.push_str("</tr></thead><tbody>\n");
}

/// The end of a table.
pub fn table_foot(out: &mut String) {
    out.push_str("</tbody></table></div>\n");
}

/// A cell of words.
pub fn cell(out: &mut String, text: impl Display) {
    put(out, format_args!("<td>{}</td>", Esc(text)));
}

/// A cell of a figure.
pub fn number(out: &mut String, text: impl Display) {
    put(out, format_args!("<td class=\"n\">{}</td>", Esc(text)));
}

/// Appends formatted text.
pub fn put(out: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}
