//! The text of a grammar's queries (<https://tree-sitter.github.io/tree-sitter/using-parsers/queries/1-syntax.html>), read as far
//! as rules have to be told from each other and looked into.

/// A part of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'q> {
    /// `(…)`: a node, a group or a predicate.
    Node(Vec<Part<'q>>),
    /// `[…]`: one of its parts.
    Choice(Vec<Part<'q>>),
    /// `"fn"`: a token by what it is.
    Token(String),
    /// What stands without brackets: a kind, `field:`, `@capture`, `#predicate?`, `!field`, `_`, or one of `.*+?`.
    Word(&'q str),
}

/// The rules of a query: each a node, a list or a literal with the captures behind it.
pub(super) fn rules(query: &str) -> Vec<&str> {
    let (mut rules, mut start, mut depth) = (Vec::new(), None, 0_usize);
    let mut rest = query.char_indices();
    while let Some((at, c)) = rest.next() {
        if depth == 0 && matches!(c, '(' | '[' | '"') {
            rules.extend(start.replace(at).map(|start| &query[start..at]));
        }
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' => drop(rest.find(|(_, c)| *c == '\n')),
            '"' => while rest.next().is_some_and(|(_, c)| c != '"' && (c != '\\' || rest.next().is_some())) {},
            _ => {}
        }
    }
    rules.extend(start.map(|start| &query[start..]));
    rules
}

/// The parts of a rule.
pub(super) fn parts(rule: &str) -> Vec<Part<'_>> {
    let mut rest = rule;
    read(&mut rest)
}

/// The parts up to the end of the list that they are in, which is taken too.
fn read<'q>(rest: &mut &'q str) -> Vec<Part<'q>> {
    let mut parts = Vec::new();
    loop {
        *rest = rest.trim_start();
        let Some(c) = rest.chars().next() else { return parts };
        let behind = &rest[c.len_utf8()..];
        match c {
            ';' => *rest = behind.split_once('\n').map_or("", |(_, next)| next),
            ')' | ']' => {
                *rest = behind;
                return parts;
            }
            '(' | '[' => {
                *rest = behind;
                let inner = read(rest);
                parts.push(if c == '(' { Part::Node(inner) } else { Part::Choice(inner) });
            }
            '"' => {
                *rest = behind;
                parts.push(Part::Token(token(rest)));
            }
            '.' | '*' | '+' | '?' => {
                parts.push(Part::Word(&rest[..1]));
                *rest = behind;
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || "()[]\";*+".contains(c);
                let mut end = behind.find(ends).map_or(rest.len(), |at| at + c.len_utf8());
                // What comes behind `field:` may stand right there.
                if let Some(colon) = rest[..end].find(':') {
                    end = colon + 1;
                }
                parts.push(Part::Word(&rest[..end]));
                *rest = &rest[end..];
            }
        }
    }
}

/// A token's text, up to its closing quote, which is taken too.
fn token(rest: &mut &str) -> String {
    let mut text = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => text.extend(chars.next().map(|c| match c {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                other => other,
            })),
            other => text.push(other),
        }
    }
    *rest = chars.as_str();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_from_each_other_and_read() {
        let query = "(a) @variable ; (b) [\n[\",\" \"\\\"(\"] @p.q\n\"fn\" @keyword\n((c) @_n @type (#eq? @_n \"@x\"))(d e:(_)? !f . \"\\n\"+)";
        assert_eq!(rules(query).len(), 5);
        let node = |kind| Part::Node(vec![Part::Word(kind)]);
        let token = |text: &str| Part::Token(text.to_owned());
        let read: Vec<_> = rules(query).into_iter().map(parts).collect();
        assert_eq!(read[0], [node("a"), Part::Word("@variable")]);
        assert_eq!(read[1], [Part::Choice(vec![token(","), token("\"(")]), Part::Word("@p.q")]);
        assert_eq!(read[2], [token("fn"), Part::Word("@keyword")]);
        let eq = Part::Node(vec![Part::Word("#eq?"), Part::Word("@_n"), token("@x")]);
        assert_eq!(read[3], [Part::Node(vec![node("c"), Part::Word("@_n"), Part::Word("@type"), eq])]);
        let d = ["d", "e:"].map(Part::Word).into_iter().chain([node("_")]);
        let d = d.chain(["?", "!f", "."].map(Part::Word)).chain([token("\n"), Part::Word("+")]);
        assert_eq!(read[4], [Part::Node(d.collect())]);
    }
}
