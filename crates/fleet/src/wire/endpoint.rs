//! The address of a server, taken apart.

use hyper::Uri;

use super::text;

/// Scheme, host, port and the path below which everything lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) secure: bool,
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Parts of the path, decoded once; empty for the root.
    pub(crate) parts: Vec<String>,
}

impl Endpoint {
    /// Takes `http[s]://host[:port][/path]`.
    ///
    /// # Errors
    /// What is wrong with it, and how it should be.
    pub(crate) fn parse(address: &str) -> Result<Self, String> {
        let shape = "give it as https://host[:port][/path]";
        let uri: Uri = address.parse().map_err(|_| format!("it is no address of a server; {shape}"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("it is neither http nor https; {shape}")),
        };
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        if authority.contains('@') || uri.query().is_some() || address.contains('#') {
            return Err(format!("a login, a query or a fragment does not belong into it; {shape}"));
        }
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(format!("it names no host; {shape}"));
        }
        let path = uri.path().trim_matches('/');
        let parts: Option<Vec<String>> = path.split('/').filter(|_| !path.is_empty()).map(text::decode).collect();
        let parts = parts.ok_or_else(|| format!("its path is wrongly encoded; {shape}"))?;
        let odd = |part: &String| part.is_empty() || part.contains('/') || part == "." || part == "..";
        if parts.iter().any(odd) {
            return Err(format!("its path has empty parts or dots for parts; {shape}"));
        }
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { secure, host: host.to_owned(), port, parts })
    }

    /// What the `Host` header says.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// The address again, for messages: never more than scheme, host, port and path.
    pub(crate) fn shown(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        let path: String = self.parts.iter().flat_map(|part| ["/", part]).collect();
        format!("{scheme}://{}{}", self.authority(), text::plain(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn an_address_is_taken_apart_or_refused() {
        let cases = [
            ("https://s3.firm.example", Some("https://s3.firm.example")),
            ("http://127.0.0.1:9000/", Some("http://127.0.0.1:9000")),
            ("https://firm.example:443/dav/a%20b/", Some("https://firm.example/dav/a b")),
            ("http://[::1]:8080/x", Some("http://[::1]:8080/x")),
            ("ftp://firm.example", None),
            ("firm.example", None),
            ("https://user:secret@firm.example", None),
            ("https://firm.example/a/../b", None),
            ("https://firm.example/a/%2e%2e/b", None),
            ("https://firm.example/a%2fb", None),
            ("https://firm.example/?x=1", None),
            ("", None),
        ];
        for (address, expected) in cases {
            let shown = Endpoint::parse(address).ok().map(|endpoint| endpoint.shown());
            assert_eq!(shown.as_deref(), expected, "{address}");
        }
    }
}
