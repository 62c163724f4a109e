//! Reading and writing fields: little-endian integers, LEB128 counts, lengths checked against what is there.

use crate::{
    FORMAT_VERSION,
    error::{Error, Result},
};

/// Bytes of a BLAKE3 hash.
pub(crate) const HASH_BYTES: usize = 32;

/// Takes fields off the front of some bytes; every error names the object and the field.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    object: &'static str,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(object: &'static str, bytes: &'a [u8]) -> Self {
        Self { object, bytes }
    }

    /// Reads magic and version: what it is, and whether it is ours to read.
    pub(crate) fn open(object: &'static str, magic: &[u8; 8], bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Self::new(object, bytes);
        let got: [u8; 8] = reader.array("magic")?;
        if got != *magic {
            return Err(Error::Foreign { object, got: hex(&got) });
        }
        let version = reader.u32("version")?;
        if version > FORMAT_VERSION {
            return Err(Error::Newer { object, expected: FORMAT_VERSION, got: version });
        }
        if version != FORMAT_VERSION {
            return Err(reader.value("version", FORMAT_VERSION, version));
        }
        Ok(reader)
    }

    /// As [`Reader::open`], for an object that ends in the BLAKE3 of all bytes before it: what is left is inside.
    pub(crate) fn open_hashed(object: &'static str, magic: &[u8; 8], bytes: &'a [u8]) -> Result<Self> {
        let reader = Self::open(object, magic, bytes)?;
        let inside = check_hash(object, bytes)?;
        let read = bytes.len() - reader.bytes.len();
        if inside.len() < read {
            return Err(Error::Short { object, field: "hash", expected: HASH_BYTES as u64, got: reader.left() as u64 });
        }
        Ok(Self { object, bytes: &inside[read..] })
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn value(&self, field: &'static str, expected: impl ToString, got: impl ToString) -> Error {
        Error::Value { object: self.object, field, expected: expected.to_string(), got: got.to_string() }
    }

    pub(crate) fn take(&mut self, field: &'static str, count: usize) -> Result<&'a [u8]> {
        if count > self.bytes.len() {
            let (expected, got) = (count as u64, self.bytes.len() as u64);
            return Err(Error::Short { object: self.object, field, expected, got });
        }
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(field, N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8> {
        Ok(self.array::<1>(field)?[0])
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64> {
        self.array(field).map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self, field: &'static str) -> Result<i64> {
        self.array(field).map(i64::from_le_bytes)
    }

    /// An unsigned LEB128 number in its shortest form.
    pub(crate) fn varint(&mut self, field: &'static str) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8(field)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(self.value(field, "a number of 64 bits", "a longer one"));
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(self.value(field, "a number in its shortest form", "a padded one"));
                }
                return Ok(number);
            }
        }
        Err(self.value(field, "a number of at most 10 bytes", "a longer one"))
    }

    /// A count of things that take at least `item_bytes` each, so that nobody reserves memory for what cannot be there.
    pub(crate) fn count(&mut self, field: &'static str, item_bytes: usize) -> Result<usize> {
        let count = self.varint(field)?;
        self.fits(field, count, item_bytes)
    }

    /// Checks that `count` things of at least `item_bytes` fit into what is left.
    pub(crate) fn fits(&self, field: &'static str, count: u64, item_bytes: usize) -> Result<usize> {
        let expected = count.saturating_mul(item_bytes as u64);
        if expected > self.left() as u64 {
            return Err(Error::Short { object: self.object, field, expected, got: self.left() as u64 });
        }
        Ok(count as usize)
    }

    /// A length and as many bytes.
    pub(crate) fn blob(&mut self, field: &'static str) -> Result<&'a [u8]> {
        let count = self.count(field, 1)?;
        self.take(field, count)
    }

    /// A length and as many bytes of UTF-8.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<String> {
        let bytes = self.blob(field)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.value(field, "UTF-8", "other bytes")),
        }
    }

    /// 0 or 1.
    pub(crate) fn flag(&mut self, field: &'static str) -> Result<bool> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.value(field, "0 or 1", other)),
        }
    }

    /// 0, or 1 and a value.
    pub(crate) fn option<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.flag(field)? { read(self, field).map(Some) } else { Ok(None) }
    }

    /// Padding: as many zero bytes.
    pub(crate) fn zeros(&mut self, field: &'static str, count: usize) -> Result<()> {
        match self.take(field, count)?.iter().find(|byte| **byte != 0) {
            None => Ok(()),
            Some(byte) => Err(self.value(field, 0, byte)),
        }
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        Err(Error::Length { object: self.object, field: "end", expected: 0, got: self.bytes.len() as u64 })
    }
}

/// Checks that `bytes` end in the BLAKE3 of what comes before, and returns that.
pub(crate) fn check_hash<'a>(object: &'static str, bytes: &'a [u8]) -> Result<&'a [u8]> {
    let Some((inside, written)) = bytes.split_last_chunk::<HASH_BYTES>() else {
        let got = bytes.len() as u64;
        return Err(Error::Short { object, field: "hash", expected: HASH_BYTES as u64, got });
    };
    same_hash(object, "hash", written, blake3::hash(inside).as_bytes())?;
    Ok(inside)
}

/// Checks that an object is the one that its name says: the header of another one is as whole as any.
pub(crate) fn check_name(object: &'static str, expected: &str, got: &str) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Value { object, field: "name", expected: expected.to_owned(), got: got.to_owned() })
}

/// Checks one hash against the other.
pub(crate) fn same_hash(
    object: &'static str,
    field: &'static str,
    expected: &[u8; HASH_BYTES],
    got: &[u8; HASH_BYTES],
) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Hash { object, field, expected: hex(&expected[..8]) + "…", got: hex(&got[..8]) + "…" })
}

/// Appends the BLAKE3 of what is there.
pub(crate) fn put_hash(bytes: &mut Vec<u8>) {
    let hash = blake3::hash(bytes);
    bytes.extend_from_slice(hash.as_bytes());
}

pub(crate) fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

pub(crate) fn put_blob(bytes: &mut Vec<u8>, blob: &[u8]) {
    put_varint(bytes, blob.len() as u64);
    bytes.extend_from_slice(blob);
}

pub(crate) fn put_option<T>(bytes: &mut Vec<u8>, option: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    bytes.push(u8::from(option.is_some()));
    if let Some(value) = option {
        put(bytes, value);
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
