//! Maps by order and intent. Their identities are hashes already, so hashing them again with care would
//! be work for nothing; nobody iterates over these maps.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use model::IntentId;

/// By identity of an intent or of the order it places.
pub(super) type ById<V> = HashMap<IntentId, V, BuildHasherDefault<Folded>>;

/// Folds what is hashed already into 64 bits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Folded(u64);

/// Odd, with its bits spread evenly (2^64 over the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * u128::from(SPREAD);
        self.0 = (wide >> 64) as u64 ^ wide as u64;
    }

    /// The length before a slice: always the same here.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::{BuildHasher as _, BuildHasherDefault};

    use super::Folded;

    #[test]
    fn identities_spread_over_both_ends_of_the_hash() {
        let day = "2025-03-04".parse().expect("a date");
        let (mut low, mut high) = (BTreeSet::new(), BTreeSet::new());
        for number in 0..4_096 {
            let id = model::IntentId::derive(&"a".into(), &"s".into(), day, &format!("b{number}"));
            let hash = BuildHasherDefault::<Folded>::default().hash_one(id);
            low.insert(hash & 0xfff);
            high.insert(hash >> 52);
        }
        // Of 4,096 places, chance alone fills 63 %.
        assert!(low.len() > 2_400 && high.len() > 2_400, "{} and {}", low.len(), high.len());
    }
}
