//! Who may call over HTTP: bearer tokens, the rights each carries, and how fast each may go.

use std::sync::Arc;
use std::time::Duration;

use super::pace::Pace;
use crate::error::{Error, Result};
use crate::tools::{Right, Rights};

/// Requests of one token in a second.
pub const CALLS_A_SECOND: u32 = 200;
/// Calls that write, of one token in a second. A little over it they wait their turn.
pub const WRITES_A_SECOND: u32 = 30;
/// How long a write waits for its turn before it is refused.
const WRITE_PATIENCE: Duration = Duration::from_secs(1);
/// Fewest characters of a token somebody chose.
const SHORTEST_TOKEN: usize = 16;
/// Most tokens in a file.
const MOST_TOKENS: usize = 1_000;
/// Longest name of a token.
const LONGEST_NAME: usize = 40;
/// Name of a token that was given none.
const UNNAMED: &str = "default";

/// The secret a client has to show.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// A new one: 32 random bytes in hexadecimal.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes.iter().fold(String::with_capacity(64), |text, byte| format!("{text}{byte:02x}"))))
    }

    /// One that was chosen (`--token-file`, `SITEWRIGHT_TOKEN`); white space around it does not count.
    ///
    /// # Errors
    /// [`Error::InvalidArguments`] when it is too short to be a secret or cannot stand in a header.
    pub fn chosen(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() < SHORTEST_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let problem = format!("needs at least {SHORTEST_TOKEN} visible ASCII characters without spaces");
            return Err(Error::InvalidArguments {
                field: "token".into(),
                problem,
                example: "openssl rand -hex 32".into(),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text a client sends after `Bearer `.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares every byte, whatever differs first.
    fn is(&self, given: &str) -> bool {
        let (mine, given) = (self.0.as_bytes(), given.as_bytes());
        let mut different = mine.len() ^ given.len();
        for (at, byte) in mine.iter().enumerate() {
            different |= usize::from(byte ^ given.get(at).copied().unwrap_or_default());
        }
        std::hint::black_box(different) == 0
    }
}

/// What one token lets its holder do, and how fast. Clones share the pace.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Who holds it; empty where no token is needed.
    pub name: Arc<str>,
    /// What it allows.
    pub rights: Rights,
    pub(super) calls: Arc<Pace>,
    pub(super) writes: Arc<Pace>,
}

impl Grant {
    /// A grant with its own pace.
    #[must_use]
    pub fn new(name: &str, rights: Rights) -> Self {
        Self::paced(name.into(), rights, CALLS_A_SECOND, WRITES_A_SECOND)
    }

    fn paced(name: Arc<str>, rights: Rights, calls: u32, writes: u32) -> Self {
        let calls = Arc::new(Pace::new(calls, Duration::ZERO));
        let writes = Arc::new(Pace::new(writes, WRITE_PATIENCE));
        Self { name, rights, calls, writes }
    }
}

/// The tokens of one server.
#[derive(Debug, Clone)]
pub struct Tokens(Vec<(Token, Grant)>);

impl From<Token> for Tokens {
    /// One token with every right but [`crate::tools::Right::Admin`].
    fn from(token: Token) -> Self {
        Self(vec![(token, Grant::new(UNNAMED, Rights::all_but_admin()))])
    }
}

impl Tokens {
    /// Reads a token file: a single token alone, or lines of `NAME TOKEN right,right`; `#` begins a comment.
    ///
    /// # Errors
    /// [`Error::InvalidArguments`] names the line; never a token.
    pub fn read(text: &str) -> Result<Self> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let lines: Vec<(usize, &str)> =
            lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).take(MOST_TOKENS + 1).collect();
        match lines.as_slice() {
            [] => Err(refused("the file", "it holds no token")),
            [(_, only)] if !only.contains(char::is_whitespace) => Token::chosen(only).map(Self::from),
            lines if lines.len() > MOST_TOKENS => Err(refused("the file", "it holds more than 1,000 tokens")),
            lines => {
                let mut tokens: Vec<(Token, Grant)> = Vec::with_capacity(lines.len());
                for (number, line) in lines {
                    let (token, grant) = entry(*number, line)?;
                    if tokens.iter().any(|(known, other)| known.is(token.as_str()) || other.name == grant.name) {
                        let place = format!("line {number}");
                        return Err(refused(&place, "its name or its token is that of another line"));
                    }
                    tokens.push((token, grant));
                }
                Ok(Self(tokens))
            }
        }
    }

    /// The same tokens, each with this many requests and writes in a second.
    #[must_use]
    pub fn paced(self, calls: u32, writes: u32) -> Self {
        let paced = |(token, grant): (Token, Grant)| (token, Grant::paced(grant.name, grant.rights, calls, writes));
        Self(self.0.into_iter().map(paced).collect())
    }

    /// What a shown token grants. Every token is compared, so that time tells nothing.
    #[must_use]
    pub fn find(&self, given: &str) -> Option<&Grant> {
        self.0.iter().fold(None, |found, (token, grant)| if token.is(given) { Some(grant) } else { found })
    }

    /// The token, where there is just one: to print how to connect.
    #[must_use]
    pub fn only(&self) -> Option<&Token> {
        match self.0.as_slice() {
            [(token, _)] => Some(token),
            _ => None,
        }
    }
}

fn entry(number: usize, line: &str) -> Result<(Token, Grant)> {
    let place = format!("line {number}");
    let mut words = line.split_whitespace();
    let (Some(name), Some(token), Some(rights), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err(refused(&place, "expected three words: name, token, rights"));
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.len() > LONGEST_NAME || !name.chars().all(plain) {
        return Err(refused(&place, "a name has at most 40 letters, digits, `-`, `_` and `.`"));
    }
    let at = |error: Error| match error {
        Error::InvalidArguments { problem, .. } => refused(&place, &problem),
        other => other,
    };
    // Its words are not repeated: where two were swapped, one of them is the secret.
    let all = Right::ALL.map(|right| right.to_string()).join(",");
    let Ok(rights) = rights.parse() else {
        return Err(refused(&place, &format!("its third word is no list of rights, out of {all}")));
    };
    Ok((Token::chosen(token).map_err(at)?, Grant::new(name, rights)))
}

fn refused(place: &str, problem: &str) -> Error {
    Error::InvalidArguments {
        field: format!("--token-file, {place}"),
        problem: problem.into(),
        example: "editor 0123456789abcdef0123456789abcdef read,content,media".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_different_and_never_shown() {
        let (one, other) = (Token::generate().expect("a token"), Token::generate().expect("a token"));
        assert_eq!(one.as_str().len(), 64);
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(format!("{one:?}"), "Token(..)");
        assert!(one.is(one.as_str()));
        for wrong in ["", "0", &one.as_str()[1..], &format!("{}0", one.as_str()), other.as_str()] {
            assert!(!one.is(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_chosen_token_has_to_be_a_secret() {
        assert_eq!(Token::chosen(" 0123456789abcdef\n").expect("long enough").as_str(), "0123456789abcdef");
        for bad in ["", "short", "0123456789 abcdef", "0123456789abcdeé"] {
            assert!(Token::chosen(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_holds_one_bare_token_or_named_ones() {
        let bare = Tokens::read("# mine\n 0123456789abcdef \n").expect("a token");
        let grant = bare.find("0123456789abcdef").expect("it is known");
        assert_eq!((&*grant.name, grant.rights), ("default", Rights::all_but_admin()));
        assert!(bare.only().is_some());
        let named = "\n# who  token  rights\nada aaaaaaaaaaaaaaaa read,content\nbot bbbbbbbbbbbbbbbb read\n";
        let named = Tokens::read(named).expect("tokens");
        assert!(named.only().is_none());
        assert!(named.find("aaaaaaaaaaaaaaaa").is_some_and(|ada| ada.rights.allow(Right::Content)));
        assert!(
            named.find("bbbbbbbbbbbbbbbb").is_some_and(|bot| &*bot.name == "bot" && !bot.rights.allow(Right::Content))
        );
        assert!(named.find("cccccccccccccccc").is_none());
    }

    #[test]
    fn a_wrong_line_is_named_and_its_token_is_not_shown() {
        let good = "ada aaaaaaaaaaaaaaaa read\n";
        for bad in [
            "",
            "short",
            "bob secretsecretsecret",
            "bob secretsecretsecret read,write",
            "bob read secretsecretsecret",
            "bob secret read",
            "bob secretsecretsecret read more",
            "b/b secretsecretsecret read",
            "ada secretsecretsecret read",
            "bob aaaaaaaaaaaaaaaa read",
        ] {
            let alone = bad.is_empty() || bad == "short";
            let text = if alone { bad.to_owned() } else { format!("{good}{bad}\n") };
            let error = Tokens::read(&text).expect_err(bad).to_string();
            assert!(!error.contains("secretsecret"), "{error}");
            assert!(alone || error.contains("line 2"), "{error}");
        }
    }
}
