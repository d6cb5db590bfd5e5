//! Blocks that were highlighted before, by a hash of language and code: an edit of a page leaves most of its blocks as they are.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use super::Token;

/// Tokens that are kept, in the younger and in the older half: some two megabytes in all.
const MOST: usize = 32_000;

/// Two hashes with keys of their own, which no page can know, and the length of the code.
type Key = (u64, u64, usize);

/// What is remembered.
#[derive(Default)]
pub(super) struct Memo {
    hashers: (RandomState, RandomState),
    halves: Mutex<Halves>,
}

#[derive(Default)]
struct Halves {
    young: HashMap<Key, Arc<[Token]>>,
    old: HashMap<Key, Arc<[Token]>>,
    tokens: usize,
}

impl Memo {
    /// The tokens of a block, made once for as long as it is remembered.
    pub(super) fn get_or(&self, language: &str, code: &str, make: impl FnOnce() -> Vec<Token>) -> Arc<[Token]> {
        let block = (language, code);
        let key = (self.hashers.0.hash_one(block), self.hashers.1.hash_one(block), code.len());
        let known = {
            let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
            halves.young.get(&key).map(Arc::clone).or_else(|| halves.old.remove(&key))
        };
        let tokens = known.unwrap_or_else(|| make().into());
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.young.insert(key, Arc::clone(&tokens)).is_none() {
            halves.tokens += tokens.len() + 1;
        }
        if halves.tokens > MOST {
            halves.old = std::mem::take(&mut halves.young);
            halves.tokens = 0;
        }
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_made_once_until_many_others_came() {
        let memo = Memo::default();
        let tokens = |end| vec![Token { start: 0, end, class: "keyword" }];
        assert_eq!(*memo.get_or("rust", "fn", || tokens(2)), tokens(2));
        assert_eq!(*memo.get_or("rust", "fn", || panic!("made again")), tokens(2));
        assert_eq!(*memo.get_or("go", "fn", || tokens(1)), tokens(1), "another language");
        for n in 0..MOST {
            memo.get_or("rust", &n.to_string(), || tokens(1));
            memo.get_or("rust", "fn", || panic!("in use"));
        }
        assert_eq!(*memo.get_or("go", "fn", || tokens(3)), tokens(3), "long not used");
        let halves = memo.halves.lock().unwrap();
        assert!(halves.young.len() + halves.old.len() <= MOST + 2);
    }
}
