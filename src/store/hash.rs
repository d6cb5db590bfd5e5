//! What git calls an object: the SHA-1 of its kind, its length and its bytes
//! (<https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>).
//!
//! libgit2 looks for crafted collisions while it hashes, which takes several times as long. It does so to each blob that is
//! written; here are named what is compared, and the large folders that we write ourselves.

use git2::{ObjectType, Oid};
use sha1::{Digest, Sha1};

/// The id that git gives to these bytes.
pub(crate) fn object_id(kind: ObjectType, bytes: &[u8]) -> Oid {
    let hash = Sha1::new().chain_update(format!("{kind} {}\0", bytes.len())).chain_update(bytes).finalize();
    // Twenty bytes are an id; the zero id would never match anything.
    Oid::from_bytes(&hash).unwrap_or(Oid::ZERO_SHA1)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_name_that_git_gives(bytes in vec(any::<u8>(), 0..300)) {
            for kind in [ObjectType::Blob, ObjectType::Tree] {
                prop_assert_eq!(object_id(kind, &bytes), Oid::hash_object(kind, &bytes).unwrap());
            }
        }
    }
}
