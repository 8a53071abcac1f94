//! A terminal's screen as a picture: SVG, in light or dark colours.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

/// Pixels of one cell, and of the space around them.
const CELL: (f32, f32) = (8.4, 19.0);
const EDGE: f32 = 16.0;

/// The colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Ends a file's name.
    pub name: &'static str,
    pub ground: &'static str,
    pub text: &'static str,
    pub faint: &'static str,
    /// Of anything that frames or leads the eye.
    pub line: &'static str,
    /// The terminal's eight colours.
    pub colours: [&'static str; 8],
}

/// Both pictures of a screen are the same but for these.
pub const THEMES: [Theme; 2] = [
    Theme {
        name: "light",
        ground: "#ffffff",
        text: "#1f2328",
        faint: "#6e7781",
        line: "#d0d7de",
        colours: ["#1f2328", "#cf222e", "#116329", "#7d4e00", "#0969da", "#8250df", "#1b7c83", "#57606a"],
    },
    Theme {
        name: "dark",
        ground: "#0d1117",
        text: "#e6edf3",
        faint: "#7d8590",
        line: "#30363d",
        colours: ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"],
    },
];

/// How a run of cells looks.
#[derive(Debug, Clone, PartialEq)]
struct Look {
    colour: &'static str,
    bold: bool,
}

impl Look {
    fn of(cell: &Cell, theme: &Theme) -> Self {
        let colour = match cell.fgcolor() {
            Color::Idx(at) => theme.colours.get(usize::from(at % 8)).copied().unwrap_or(theme.text),
            _ if cell.dim() => theme.faint,
            _ => theme.text,
        };
        Self { colour, bold: cell.bold() }
    }
}

/// The picture of what was typed and what the screen shows then.
pub(crate) fn svg(screen: &Screen, typed: &str, theme: &Theme) -> String {
    let (rows, columns): (u16, u16) = (screen.size().0.into(), screen.size().1.into());
    let shown =
        |row: u16| screen.rows(0, columns).nth(row.into()).is_some_and(|text| !text.trim().is_empty());
    let last = (0..rows).rev().find(|row| shown(*row)).map_or(0, |row| row + 1);
    let (width, height) =
        (f32::from(columns) * CELL.0 + 2.0 * EDGE, f32::from(last + 1) * CELL.1 + 2.0 * EDGE - 4.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\">\n\
         <title>{}</title>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"8\" fill=\"{}\" stroke=\"{}\"/>\n",
        escaped(typed),
        width - 1.0,
        height - 1.0,
        theme.ground,
        theme.line
    );
    run(&mut out, 0, 0, "$ ", &Look { colour: theme.faint, bold: false });
    run(&mut out, 0, 2, typed, &Look { colour: theme.text, bold: true });
    for row in 0..last {
        line(&mut out, screen, row, theme);
    }
    out.push_str("</svg>\n");
    out
}

/// One row, each stretch of cells that look alike as one text.
fn line(out: &mut String, screen: &Screen, row: u16, theme: &Theme) {
    let mut open: Option<(u16, String, Look)> = None;
    for column in 0..screen.size().1.get() {
        let Some(cell) = screen.cell(row, column) else { continue };
        let look = Look::of(cell, theme);
        let text = if cell.has_contents() { cell.contents() } else { " " };
        match &mut open {
            Some((_, so_far, same)) if *same == look => so_far.push_str(text),
            _ => {
                if let Some((start, text, look)) = open.replace((column, text.to_owned(), look)) {
                    run(out, row + 1, start, &text, &look);
                }
            }
        }
    }
    if let Some((start, text, look)) = open {
        run(out, row + 1, start, &text, &look);
    }
}

fn run(out: &mut String, row: u16, column: u16, text: &str, look: &Look) {
    let text = text.trim_end();
    let shown = text.trim_start();
    if shown.is_empty() {
        return;
    }
    let cells = |text: &str| f32::from(u16::try_from(text.chars().count()).unwrap_or(u16::MAX));
    let x = EDGE + (f32::from(column) + cells(text) - cells(shown)) * CELL.0;
    let y = EDGE + f32::from(row) * CELL.1 + 13.0;
    let bold = if look.bold { " font-weight=\"700\"" } else { "" };
    // The width is told, so that another font does not move what comes after.
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{:.1}\" fill=\"{}\"{bold} xml:space=\"preserve\">{}</text>",
        cells(shown) * CELL.0,
        look.colour,
        escaped(shown)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_drawn_cell_by_cell_in_both_themes() {
        let mut parser = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
        parser.process(b"\x1b[31;1merror:\x1b[0m a < b & \x1b[2mso\x1b[0m\r\n\r\n  end");

        let drawn = THEMES.map(|theme| svg(parser.screen(), "just \"db\"", &theme));

        for (picture, theme) in drawn.iter().zip(THEMES) {
            assert!(
                picture.contains(">error:<")
                    && picture.contains(&format!("fill=\"{}\" font-weight", theme.colours[1]))
            );
            assert!(picture.contains("a &lt; b &amp;") && picture.contains(theme.ground));
            assert!(picture.contains("y=\"86.0\"") && picture.ends_with("</svg>\n"), "{picture}");
        }
    }
}
