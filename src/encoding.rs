//! Content encodings: negotiation, and a cache of compressed files.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::ACCEPT_ENCODING;
use sha2::{Digest, Sha256};

use crate::cpu_pool;

/// A content encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Brotli.
    Brotli,
    /// Gzip.
    Gzip,
    /// Identity: not compressed.
    Plain,
}

impl Encoding {
    /// The best encoding that the client accepts.
    pub fn negotiate(headers: &HeaderMap) -> Encoding {
        let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let (mut brotli, mut gzip) = (false, false);
        for item in lists.flat_map(|list| list.split(',')) {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            match name {
                "br" => brotli = !refused,
                "gzip" => gzip = !refused,
                _ => {}
            }
        }
        match (brotli, gzip) {
            (true, _) => Encoding::Brotli,
            (_, true) => Encoding::Gzip,
            _ => Encoding::Plain,
        }
    }

    /// The value of `Content-Encoding`.
    pub fn token(self) -> Option<&'static str> {
        match self {
            Encoding::Brotli => Some("br"),
            Encoding::Gzip => Some("gzip"),
            Encoding::Plain => None,
        }
    }

    /// The file name suffix of a file compressed by the web build.
    pub fn suffix(self) -> &'static str {
        match self {
            Encoding::Brotli => ".br",
            Encoding::Gzip => ".gz",
            Encoding::Plain => "",
        }
    }

    /// Compresses at the highest level; for content that is cached and sent many times.
    pub fn encode(self, plain: &[u8]) -> Vec<u8> {
        match self {
            Encoding::Plain => plain.to_vec(),
            Encoding::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                // Writing into memory cannot fail.
                let _ = encoder.write_all(plain);
                encoder.finish().unwrap_or_default()
            }
            Encoding::Brotli => {
                let mut small = Vec::new();
                let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
                let mut plain = plain;
                // Reading from and writing into memory cannot fail.
                let _ = brotli::BrotliCompress(&mut plain, &mut small, &params);
                small
            }
        }
    }
}

/// A response body in all encodings, for content that is sent many times.
pub struct Encoded {
    /// The entity tag.
    pub tag: String,
    plain: Bytes,
    /// Gzip and brotli, if compressed.
    small: Option<(Bytes, Bytes)>,
}

impl Encoded {
    /// Compresses a body into all encodings. Takes some milliseconds of CPU.
    pub fn compress(plain: String) -> Encoded {
        let whole = Encoded::plain(plain);
        let small = (Encoding::Gzip.encode(&whole.plain).into(), Encoding::Brotli.encode(&whole.plain).into());
        Encoded { small: Some(small), ..whole }
    }

    /// Wraps a body without compressing it.
    pub fn plain(plain: String) -> Encoded {
        let hash: [u8; 32] = Sha256::digest(plain.as_bytes()).into();
        Encoded { tag: fingerprint(&hash), plain: plain.into(), small: None }
    }

    /// The body in the wanted encoding, or uncompressed.
    pub fn body(&self, wanted: Encoding) -> (Encoding, Bytes) {
        match (wanted, &self.small) {
            (Encoding::Brotli, Some((_, brotli))) => (wanted, brotli.clone()),
            (Encoding::Gzip, Some((gzip, _))) => (wanted, gzip.clone()),
            (Encoding::Plain, _) | (_, None) => (Encoding::Plain, self.plain.clone()),
        }
    }
}

/// Half of a SHA-256 as text.
pub fn fingerprint(sha256: &[u8; 32]) -> String {
    sha256[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compressed bodies, keyed by the SHA-256 of the plain body.
type Compressed = HashMap<([u8; 32], Encoding), Bytes>;

/// Cache of files compressed here. Bounded by the number of files in `web/dist`.
static COMPRESSED_FILES: Mutex<Option<Compressed>> = Mutex::new(None);

/// Compresses a static file, or returns the cached result.
pub async fn compress_once(sha256: [u8; 32], encoding: Encoding, plain: Bytes) -> Bytes {
    if let Some(found) = with_cache(|kept| kept.get(&(sha256, encoding)).cloned()) {
        return found;
    }
    let work = move || Bytes::from(encoding.encode(&plain));
    let Some(small) = cpu_pool::run(work).await else { return Bytes::new() };
    with_cache(|kept| kept.insert((sha256, encoding), small.clone()));
    small
}

fn with_cache<T>(act: impl FnOnce(&mut Compressed) -> T) -> T {
    let mut kept = COMPRESSED_FILES.lock().unwrap_or_else(PoisonError::into_inner);
    act(kept.get_or_insert_default())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn wanted(text: &'static str) -> Encoding {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, hyper::header::HeaderValue::from_static(text));
        Encoding::negotiate(&headers)
    }

    #[test]
    fn the_best_accepted_encoding_is_chosen() {
        assert_eq!(wanted("gzip, deflate, br, zstd"), Encoding::Brotli);
        assert_eq!(wanted("gzip;q=1.0, br;q=0"), Encoding::Gzip);
        assert_eq!(wanted("identity"), Encoding::Plain);
        assert_eq!(Encoding::negotiate(&HeaderMap::new()), Encoding::Plain);
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let plain = b"hello hello hello hello".repeat(20);
        let mut back = Vec::new();
        brotli::Decompressor::new(&Encoding::Brotli.encode(&plain)[..], 4096).read_to_end(&mut back).expect("brotli");
        assert_eq!(back, plain);
        back.clear();
        flate2::read::GzDecoder::new(&Encoding::Gzip.encode(&plain)[..]).read_to_end(&mut back).expect("gzip");
        assert_eq!(back, plain);
    }
}
