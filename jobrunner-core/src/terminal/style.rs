/// How text is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// One of the sixteen colours; `None` is that of text.
    pub foreground: Option<u8>,
    /// One of the sixteen colours; `None` is that of the page.
    pub background: Option<u8>,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
}

impl Style {
    /// Returns the style after "select graphic rendition" with these parameters.
    pub(super) fn with(mut self, parameters: &str) -> Self {
        let mut parameters = parameters.split(';');
        while let Some(parameter) = parameters.next() {
            // What follows a colon belongs to the number before it.
            let (number, details) = match parameter.split_once(':') {
                Some((number, details)) => (number, Some(details)),
                None => (parameter, None),
            };
            let number = value(number);
            match number {
                0 => self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = details.is_none_or(|kind| value(kind) != 0),
                21 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                30..=37 => self.foreground = Some((number - 30) as u8),
                39 => self.foreground = None,
                40..=47 => self.background = Some((number - 40) as u8),
                49 => self.background = None,
                90..=97 => self.foreground = Some((number - 90 + 8) as u8),
                100..=107 => self.background = Some((number - 100 + 8) as u8),
                38 | 48 => {
                    let colour = match details {
                        Some(details) => within(details),
                        None => extended(&mut parameters.by_ref().map(value)),
                    };
                    let place =
                        if number == 38 { &mut self.foreground } else { &mut self.background };
                    *place = colour.or(*place);
                }
                _ => {}
            }
        }
        self
    }
}

fn value(parameter: &str) -> u16 {
    parameter.parse().unwrap_or(0)
}

/// A colour whose numbers are separated by colons. A mixed one may name its space first.
fn within(details: &str) -> Option<u8> {
    let numbers: Vec<&str> = details.split(':').collect();
    match numbers.as_slice() {
        ["2", _, red, green, blue, ..] | ["2", red, green, blue] => {
            Some(nearest([red, green, blue].map(|part| value(part))))
        }
        other => extended(&mut other.iter().map(|part| value(part))),
    }
}

/// One of 256 colours or a mixed one: as near as the sixteen come.
fn extended(numbers: &mut impl Iterator<Item = u16>) -> Option<u8> {
    match numbers.next()? {
        5 => match numbers.next()? {
            index @ 0..=15 => Some(index as u8),
            index @ 16..=231 => {
                let cube = index - 16;
                Some(nearest([cube / 36 * 51, cube / 6 % 6 * 51, cube % 6 * 51]))
            }
            grey => Some(nearest([(grey.min(255) - 232) * 10 + 8; 3])),
        },
        2 => Some(nearest([numbers.next()?, numbers.next()?, numbers.next()?])),
        _ => None,
    }
}

fn nearest([red, green, blue]: [u16; 3]) -> u8 {
    let bit = |part: u16, bit: u8| if part > 100 { bit } else { 0 };
    let colour = bit(red, 1) + bit(green, 2) + bit(blue, 4);
    if red.max(green).max(blue) > 200 { colour + 8 } else { colour }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_change_what_they_are_about() {
        let style = Style::default();
        assert_eq!(style.with("1;92").foreground, Some(10));
        assert_eq!(style.with("38;5;196").foreground, Some(9));
        assert_eq!(style.with("38;2;0;255;0;1"), Style { bold: true, ..style.with("92") });
        assert_eq!(style.with("38:2::0:255:0;1"), style.with("38;2;0;255;0;1"));
        assert_eq!(style.with("48:5:196").background, Some(9));
        assert_eq!(style.with("4:3"), Style { underline: true, ..style });
        assert_eq!(style.with("4").with("4:0"), style);
        assert_eq!(style.with("1;2;3;4;31;42").with(""), style);
        assert_eq!(style.with("38"), style);
        assert_eq!(style.with("99999999;5"), style);
    }
}
