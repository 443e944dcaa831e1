//! What an operator sees of what was found.

use std::ops::Range;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use crate::clock::Millis;
use crate::conversations::Side;
use crate::id::{ConversationId, SiteId};
use crate::visitors::VisitorForOperator;

/// Characters that are shown before the first found word.
const BEFORE: usize = 40;
/// Characters that are shown in all.
const SHOWN: usize = 200;

/// A page of found messages.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Found {
    /// The newest first.
    pub messages: Vec<FoundMessage>,
    /// Pass as `before` to look further back, also where this page is empty; none when all was looked at.
    pub next: Option<String>,
    /// Messages are still being indexed: some are not found yet.
    pub indexing: bool,
}

/// A message that was found.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct FoundMessage {
    /// The site.
    pub site_id: SiteId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its number in the conversation.
    pub seq: i64,
    /// Who wrote it.
    pub from: Side,
    /// The name under which an agent wrote.
    pub name: Option<String>,
    /// The conversation's visitor.
    pub visitor: VisitorForOperator,
    /// The part of its text where the words are.
    pub line: Vec<Piece>,
    /// When it was stored.
    pub at: Millis,
}

/// A piece of a line of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Piece {
    /// As it was written.
    pub text: String,
    /// It is what was looked for.
    pub found: bool,
}

/// The part of a text where the first of some places is, in pieces.
pub(super) fn line(text: &str, places: &[Range<usize>]) -> Vec<Piece> {
    let first = places.first().map_or(0, |place| place.start);
    let start = text[..first].grapheme_indices(true).rev().take(BEFORE).last().map_or(first, |(at, _)| at);
    let end = text[start..].grapheme_indices(true).nth(SHOWN).map_or(text.len(), |(at, _)| start + at);
    let mut pieces = Vec::new();
    let mut piece = |range: Range<usize>, found| {
        if let Some(text) = text.get(range).filter(|text| !text.is_empty()) {
            pieces.push(Piece { text: text.to_owned(), found });
        }
    };
    let mut at = start;
    for place in places.iter().take_while(|place| place.start < end) {
        piece(at..place.start, false);
        at = place.end.min(end);
        piece(place.start..at, true);
    }
    piece(at..end, false);
    if start > 0 {
        pieces.insert(0, Piece { text: "…".into(), found: false });
    }
    if end < text.len() {
        pieces.push(Piece { text: "…".into(), found: false });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, places: &[Range<usize>]) -> String {
        let pieces = line(text, places).into_iter();
        pieces.map(|piece| if piece.found { format!("[{}]", piece.text) } else { piece.text }).collect()
    }

    #[test]
    fn a_line_shows_the_first_found_words_and_what_is_around_them() {
        assert_eq!(shown("where is my order", &[0..5, 12..17]), "[where] is my [order]");
        let long = format!("{}order{}", "é ".repeat(100), " x".repeat(200));
        let cut = shown(&long, std::slice::from_ref(&(300..305)));
        assert_eq!(cut, format!("…{}[order]{}…", "é ".repeat(20), " x".repeat(155 / 2) + " "));
        let one = "退".repeat(4_000);
        assert_eq!(shown(&one, std::slice::from_ref(&(0..12_000))), format!("[{}]…", "退".repeat(SHOWN)));
        assert_eq!(shown("", &[]), "");
    }
}
