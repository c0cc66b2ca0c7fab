//! One hash over a sequence of entries, to compare what two processes did.

use crate::port::Entry;

/// Hashes entries as they come: the canonical JSON of each, one a line.
#[derive(Debug, Clone, Default)]
pub struct TraceHash {
    hasher: blake3::Hasher,
    line: Vec<u8>,
}

impl TraceHash {
    /// Adds one entry.
    pub fn add(&mut self, entry: &Entry) {
        self.line.clear();
        // Entries have text keys and no floats: nothing in them fails to serialise into memory.
        serde_json::to_writer(&mut self.line, entry).expect("an entry serialises");
        self.line.push(b'\n');
        self.hasher.update(&self.line);
    }

    /// The hash of everything added so far, in hex.
    pub fn hex(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}

/// The hash of `entries` in their order, in hex.
pub fn trace_hash<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    let mut hash = TraceHash::default();
    for entry in entries {
        hash.add(entry);
    }
    hash.hex()
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    fn note(text: &str) -> Entry {
        Entry::Note { kind: "test".into(), text: text.into(), at: Timestamp::from_nanos(1) }
    }

    #[test]
    fn order_and_content_count() {
        let (one, two) = (note("one"), note("two"));
        assert_eq!(trace_hash([&one, &two]), trace_hash([&one, &two]));
        assert_ne!(trace_hash([&one, &two]), trace_hash([&two, &one]));
        assert_ne!(trace_hash([&one]), trace_hash([&one, &two]));
        let mut step_by_step = TraceHash::default();
        step_by_step.add(&one);
        step_by_step.add(&two);
        assert_eq!(step_by_step.hex(), trace_hash([&one, &two]));
    }
}
