"""Checks an envelope of keyaudit with securesystemslib, the implementation of DSSE that in-toto and TUF use.

Arguments: the envelope, the public key (PEM), and its scheme.
"""

import json
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

envelope_file, key_file, scheme = sys.argv[1:4]
with open(envelope_file, encoding="utf-8") as file:
    envelope = Envelope.from_dict(json.load(file))
with open(key_file, encoding="utf-8") as file:
    pem = file.read()
(keyid,) = envelope.signatures
kind = {"ed25519": "ed25519", "ecdsa-sha2-nistp256": "ecdsa"}[scheme]
if kind == "ed25519":
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    raw = load_pem_public_key(pem.encode()).public_bytes(Encoding.Raw, PublicFormat.Raw)
    public = raw.hex()
else:
    public = pem
key = SSlibKey(keyid, kind, scheme, {"public": public})
assert set(envelope.verify([key], 1)) == {keyid}
envelope.payload = envelope.payload.replace(b"analytics", b"analytixs")
try:
    envelope.verify([key], 1)
except VerificationError:
    print(json.dumps({"type": envelope.payload_type, "verified": keyid}))
else:
    sys.exit("a changed payload was verified as well")
