/// The longest sequence; what is longer is none.
const LONGEST: usize = 4096;

const ESCAPE: char = '\u{1b}';

/// What a character comes to, alone or as the last one of a sequence.
pub(super) enum Action<'a> {
    Print(char),
    /// A control character that is no part of a sequence.
    Control(char),
    /// A control sequence: its last character, and the numbers before it.
    Command {
        end: char,
        parameters: &'a str,
    },
}

/// Separates text from what commands a terminal (ECMA-48).
#[derive(Debug, Default)]
pub(super) struct Parser {
    state: State,
    /// The sequence so far, without the character that began it: it is shown if it has no end.
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After an escape character.
    Escape,
    /// In a control sequence.
    Command,
    /// In a string for the terminal: a title, a link, a picture.
    String,
    /// After an escape character in such a string.
    StringEscape,
}

impl Parser {
    pub(super) fn advance(&mut self, character: char, act: &mut impl FnMut(Action<'_>)) {
        match (self.state, character) {
            (State::Text, _) => self.text(character, act),
            (State::Escape, '[') if self.held.is_empty() => self.hold(State::Command, character),
            (State::Escape, ']' | 'P' | 'X' | '^' | '_') if self.held.is_empty() => {
                self.hold(State::String, character);
            }
            (State::Escape, ' '..='/') if self.held.len() < LONGEST => {
                self.held.push(character);
            }
            (State::Escape, '0'..='~') => {
                // "Index" and "next line" both end a line here.
                if self.held.is_empty() && matches!(character, 'D' | 'E') {
                    act(Action::Control('\n'));
                }
                self.state = State::Text;
            }
            (State::Command, ' '..='?') if self.held.len() < LONGEST => self.held.push(character),
            (State::Command, '@'..='~') => {
                let parameters = self.held.strip_prefix('[').unwrap_or(&self.held);
                if parameters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')) {
                    act(Action::Command { end: character, parameters });
                }
                self.state = State::Text;
            }
            (State::String, '\u{7}' | '\u{9c}') | (State::StringEscape, '\\') => {
                self.state = State::Text;
            }
            (State::String, ESCAPE) => self.state = State::StringEscape,
            // An escape character that ends no string begins another sequence.
            (State::StringEscape, _) => {
                self.show(act);
                self.begin(State::Escape);
                self.advance(character, act);
            }
            // No string goes beyond its line: a forgotten end would hide all that follows.
            (State::String, '\n' | '\r' | '\u{18}' | '\u{1a}') => self.give_up(character, act),
            (State::String, _) if self.held.len() < LONGEST => self.held.push(character),
            (State::Escape | State::Command | State::String, _) => self.give_up(character, act),
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, act: &mut impl FnMut(Action<'_>)) {
        if self.state != State::Text {
            self.show(act);
        }
    }

    fn text(&mut self, character: char, act: &mut impl FnMut(Action<'_>)) {
        match character {
            ESCAPE => self.begin(State::Escape),
            '\u{9b}' => self.begin(State::Command),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => self.begin(State::String),
            '\u{84}' | '\u{85}' => act(Action::Control('\n')),
            control if control.is_control() => act(Action::Control(control)),
            _ => act(Action::Print(character)),
        }
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.held.clear();
    }

    fn hold(&mut self, state: State, character: char) {
        self.state = state;
        self.held.push(character);
    }

    /// What was begun is no sequence.
    fn give_up(&mut self, next: char, act: &mut impl FnMut(Action<'_>)) {
        self.show(act);
        self.advance(next, act);
    }

    /// Shows what was held as text. It is not looked through for other sequences, which could be as
    /// long again.
    fn show(&mut self, act: &mut impl FnMut(Action<'_>)) {
        self.state = State::Text;
        for character in self.held.drain(..) {
            match character {
                control if control.is_control() => act(Action::Control(control)),
                other => act(Action::Print(other)),
            }
        }
    }
}
