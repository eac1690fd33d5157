//! A server of names that knows every name.

use std::net::Ipv4Addr;

use sha2::{Digest as _, Sha256};

/// A question for a name.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// The name, in small letters.
    pub name: String,
    kind: u16,
    /// The question's own bytes, with the number before it.
    number: [u8; 2],
    text: Vec<u8>,
}

impl Question {
    /// Reads the first question of a message.
    pub fn read(message: &[u8]) -> Option<Self> {
        let number = [*message.first()?, *message.get(1)?];
        let mut at = 12;
        let mut labels = Vec::new();
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            if length > 63 || labels.len() > 127 {
                return None;
            }
            labels.push(String::from_utf8_lossy(message.get(at..at + length)?).into_owned());
            at += length;
        }
        let kind = u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]);
        let text = message.get(12..at + 4)?.to_vec();
        Some(Self { name: labels.join("."), kind, number, text })
    }

    /// The address that the name has: always the same one, and one as hosts of the open internet have them.
    pub fn address(&self) -> Ipv4Addr {
        let digest = Sha256::digest(self.name.to_ascii_lowercase().as_bytes());
        let part = |number: usize| digest.get(number).copied().unwrap_or_default();
        Ipv4Addr::new(34, 64 + part(0) % 64, part(1), part(2) % 254 + 1)
    }

    /// The answer: an address when one was asked for, else nothing.
    pub fn answer(&self, address: Ipv4Addr) -> Vec<u8> {
        const ADDRESS: u16 = 1;
        let has = self.kind == ADDRESS;
        let mut answer = self.number.to_vec();
        answer.extend([0x81, 0x80, 0, 1, 0, u8::from(has), 0, 0, 0, 0]);
        answer.extend(&self.text);
        if has {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
            answer.extend(address.octets());
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::Question;

    #[test]
    fn a_question_gets_the_same_address_again() {
        let mut message = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(b"\x03api\x07example\x00\x00\x01\x00\x01");
        let asked = Question::read(&message).unwrap_or(Question {
            name: String::new(),
            kind: 0,
            number: [0; 2],
            text: Vec::new(),
        });
        assert_eq!(asked.name, "api.example");
        let answer = asked.answer(asked.address());
        assert_eq!(answer.get(..2), Some([7, 9].as_slice()));
        assert!(answer.ends_with(&asked.address().octets()));
        for cut in 0..message.len() {
            assert_eq!(Question::read(message.get(..cut).unwrap_or_default()), None);
        }
    }
}
