-- Ways into an account beside its password: passkeys, and who its owner is elsewhere.

CREATE TABLE passkey (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL, account BLOB NOT NULL, label TEXT NOT NULL, host TEXT NOT NULL,
    credential BLOB NOT NULL, key BLOB NOT NULL, counter INTEGER NOT NULL, made_us INTEGER NOT NULL, ended_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_account ON passkey (account, made_us);
CREATE INDEX passkey_credential ON passkey (credential);
CREATE INDEX passkey_revision ON passkey (revision);

CREATE TABLE identity (
    account BLOB PRIMARY KEY, revision INTEGER NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL,
    made_us INTEGER NOT NULL, ended_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_subject ON identity (issuer, subject);
CREATE INDEX identity_revision ON identity (revision);

-- Local: the counter that a passkey's authenticator last said, and when it last signed in.
CREATE TABLE passkey_used (passkey BLOB PRIMARY KEY, counter INTEGER NOT NULL, used_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
