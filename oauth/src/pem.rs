//! Text files with keys, as people have them: CRLF, blank lines, a comment above, a copy that lost its end.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::key::KeyError;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
/// No label of a key is longer.
const LONGEST_LABEL: usize = 40;

/// The first block of a PEM file.
pub(crate) struct Pem {
    pub(crate) label: String,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Reads the first block. Base64 may be cut into lines of any length; what stands around the block does not matter.
pub(crate) fn read(text: &str) -> Result<Pem, KeyError> {
    let (_, rest) = text.split_once(BEGIN).ok_or(KeyError::NoPem)?;
    let (label, rest) = rest.split_once(DASHES).ok_or(KeyError::NoPem)?;
    if label.len() > LONGEST_LABEL || label.contains(['\r', '\n']) {
        return Err(KeyError::NoPem);
    }
    let end = format!("-----END {label}-----");
    let (body, _) =
        rest.split_once(end.as_str()).ok_or_else(|| KeyError::CutOff(label.to_owned()))?;
    if body.lines().any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED")) {
        return Err(KeyError::Encrypted);
    }
    let packed = packed(body);
    let der = Base64::decode_vec(&packed).map_err(|_| KeyError::NotBase64)?;
    Ok(Pem { label: label.to_owned(), der: Zeroizing::new(der) })
}

/// The base64 alone. Headers have a colon, which base64 has not.
fn packed(body: &str) -> Zeroizing<String> {
    // With room for all, so that growing leaves no copy behind.
    let mut packed = Zeroizing::new(String::with_capacity(body.len()));
    for line in body.lines().filter(|line| !line.contains(':')) {
        packed.extend(line.chars().filter(|letter| !letter.is_whitespace()));
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "-----BEGIN THING-----\nAAEC\nAwQF\n-----END THING-----\n";

    #[test]
    fn it_does_not_matter_how_lines_end_or_what_is_around() {
        let crlf = PLAIN.replace('\n', "\r\n");
        let padded = format!("\u{feff}\n\n  made by hand\n{PLAIN}\n\n");
        let indented = PLAIN.replace('\n', " \n  ");
        let one_line = PLAIN.replace("AAEC\nAwQF", "AAECAwQF");
        for text in [PLAIN, &crlf, &padded, &indented, &one_line] {
            let pem = read(text).unwrap();
            assert_eq!(
                (pem.label.as_str(), pem.der.as_slice()),
                ("THING", &[0, 1, 2, 3, 4, 5][..])
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let cut = PLAIN.split_at(30).0;
        let garbled = PLAIN.replace("AwQF", "Aw?F");
        let locked =
            PLAIN.replace("AAEC", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAEC");
        assert_eq!(read("ssh-rsa AAAA").err(), Some(KeyError::NoPem));
        assert_eq!(read(cut).err(), Some(KeyError::CutOff("THING".to_owned())));
        assert_eq!(read(&garbled).err(), Some(KeyError::NotBase64));
        assert_eq!(read(&locked).err(), Some(KeyError::Encrypted));
    }
}
