//! Lists that come in pages. What the `Link` header names may stand on another host than ours, so only the page's number
//! is taken from it. See <https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>.

use serde::de::DeserializeOwned;

use super::GitHub;
use super::answer::Raw;
use super::client::{Answer, Repeat, Sent};
use super::route::Call;
use crate::forge::{Error, Result, side_by_side};

/// The most entries that GitHub puts into a page.
pub(super) const PER_PAGE: u32 = 100;
/// The most pages that are read of one list.
const PAGES: u32 = 2_000;

/// The pages that a `Link` header names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Links {
    next: Option<u32>,
    last: Option<u32>,
}

/// One page, as GitHub sends it.
pub(super) trait Page: DeserializeOwned + Send {
    type Entry: Send;
    fn entries(self) -> Vec<Self::Entry>;
}

impl<T: DeserializeOwned + Send> Page for Vec<T> {
    type Entry = T;
    fn entries(self) -> Vec<T> {
        self
    }
}

impl GitHub {
    /// Every entry of a list: its first page, then the others side by side, then what came to it meanwhile.
    pub(super) fn list<P: Page>(&self, call: Call) -> Result<Vec<P::Entry>> {
        let call = call.query("per_page", PER_PAGE);
        let (mut entries, mut links) = self.page::<P>(call.clone())?;
        if let Some(last) = links.last.filter(|last| links.next == Some(2) && *last > 2) {
            let numbers: Vec<u32> = (2..=within(last, &call)?).collect();
            for page in side_by_side(&numbers, |number| self.page::<P>(call.clone().query("page", number))) {
                let (more, then) = page?;
                entries.extend(more);
                links = then;
            }
            // The last page now has a successor only if entries were added while the others were read.
            links.next = links.next.filter(|next| *next > last);
        }
        let mut read = 1;
        while let Some(next) = links.next.filter(|next| *next > read) {
            let (more, then) = self.page::<P>(call.clone().query("page", within(next, &call)?))?;
            entries.extend(more);
            (links, read) = (then, next);
        }
        Ok(entries)
    }

    fn page<P: Page>(&self, call: Call) -> Result<(Vec<P::Entry>, Links)> {
        match self.client.send::<P>(&self.api, &call, &Repeat::Freely)? {
            Sent::Answered(Answer { raw, value }) => Ok((value.entries(), links(&raw))),
            Sent::Found(value) => Ok((value.entries(), Links::default())),
        }
    }
}

fn within(page: u32, call: &Call) -> Result<u32> {
    if page <= PAGES {
        return Ok(page);
    }
    Err(Error::Server(format!("`{}` has {page} pages; at most {PAGES} are read", call.name())))
}

fn links(raw: &Raw) -> Links {
    raw.header("link").map(parse).unwrap_or_default()
}

/// Reads `<ADDRESS?page=2>; rel="next", <ADDRESS?page=5>; rel="last"`.
fn parse(header: &str) -> Links {
    let mut links = Links::default();
    for link in header.split(',') {
        let Some((address, parameters)) = link.trim().strip_prefix('<').and_then(|link| link.split_once('>')) else {
            continue;
        };
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let page = query.split(['&', '#']).find_map(|part| part.strip_prefix("page=")?.parse().ok());
        let rel = |word: &str| parameters.split(';').any(|part| part.trim() == format!("rel=\"{word}\""));
        if rel("next") {
            links.next = page;
        } else if rel("last") {
            links.last = page;
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Links, parse};

    #[test]
    fn only_the_number_of_a_page_is_taken_from_a_link() {
        let header = r#"<https://api.github.com/repositories/1/x?per_page=100&page=2>; rel="next", <http://elsewhere/x?page=34&per_page=100>; rel="last""#;
        assert_eq!(parse(header), Links { next: Some(2), last: Some(34) });
        assert_eq!(
            parse(r#"<https://h/x?page=1>; rel="prev", <https://h/x?per_page=5>; rel="next""#),
            Links::default()
        );
    }

    proptest! {
        #[test]
        fn no_link_header_panics(header in any::<String>()) {
            parse(&header);
        }
    }
}
