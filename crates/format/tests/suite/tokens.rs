//! Tokens whose scope is narrower than everything: as bytes and in a layer.

use format::{
    RecordKey,
    record::{Part, decode, decode_part, encode},
    snapshot::{LayerBase, decode_layer_part, encode_layer},
};
use model::{
    Change, Class, Scope,
    account::{TokenScope, TokenUse},
    id::ObjectId,
};

use crate::{
    samples::{CLUSTER, Seeded, cluster_key, keyring, token},
    testdata::kept,
};

fn of(scope: TokenScope) -> Change {
    token(0x6c, TokenUse::Access(scope), Some(7), None)
}

/// Who knows no scopes reads the tokens that it can read, and takes none of the others for one that may do everything.
#[test]
fn a_narrower_scope_is_a_newer_shape_and_nothing_else_is() {
    for (scope, shape, opens) in [(TokenScope::All, 1, 0), (TokenScope::Read, 2, 3), (TokenScope::Files, 2, 4)] {
        let parts = encode(&[of(scope)]).unwrap();
        assert!(parts.open.is_empty() && parts.account.is_empty(), "neither firms nor rescue learn of it");
        assert_eq!(decode(&parts).unwrap(), [of(scope)]);
        // Kind, shape, length, id, hash, account, then what it opens.
        let at = 3 + 16 + 32 + 16;
        assert_eq!((parts.service[0], parts.service[1], parts.service[at]), (8, shape, opens), "{scope:?}");
        for (other_shape, other) in [(3 - shape, opens), (shape, 5)] {
            let mut forged = parts.service.clone();
            (forged[1], forged[at]) = (other_shape, other);
            let error = decode_part(Part::Service, &forged).unwrap_err();
            assert_eq!((error.class(), error.field()), (Class::Damaged, Some("opens")), "{scope:?}");
        }
    }
}

#[test]
fn a_layer_of_tokens() {
    let rows: Vec<_> = (1..).zip([of(TokenScope::Read), of(TokenScope::Files), of(TokenScope::All)]).collect();
    let (layer, key) = (ObjectId([0xe0; 16]), cluster_key());
    let base = LayerBase { cluster: CLUSTER, epoch: 3, scope: Scope::Cluster, from: 0, to: 60, layer, made_at_seq: 12 };
    let make = || encode_layer(&base, &rows, RecordKey::Cluster(&key), &Seeded::new(1)).unwrap().remove(0).1;
    let bytes = kept("v1/layer-cluster-tokens.bin", make);
    assert_eq!(bytes, make(), "what is written has not changed");
    assert_eq!(decode_layer_part(&bytes).unwrap().unseal(&keyring()).unwrap(), rows);
}
