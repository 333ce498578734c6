"""Client certificates that the house never issued, made with the openssl command."""

import subprocess

GOOD_EXTENSIONS = {
    "basicConstraints": "critical,CA:FALSE",
    "keyUsage": "critical,digitalSignature",
    "extendedKeyUsage": "clientAuth",
    "subjectAltName": "URI:urn:pointhouse:partner:GRO",
}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_key(folder):
    key = folder / "key.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    return key


def self_signed(folder, extensions=()):
    """(certificate, key) of a certificate that signs itself."""
    key, certificate = make_key(folder), folder / "cert.pem"
    openssl("req", "-new", "-x509", "-key", key, "-out", certificate, "-days", "30", "-subj", "/CN=GRO",
            *[word for name, value in (GOOD_EXTENSIONS | dict(extensions)).items()
              for word in ("-addext", f"{name}={value}")])
    return certificate, key


def signed_by(authority, authority_key, folder, extensions=(), dates=None):
    """(certificate, key) signed by an authority. `dates`: (from, to) as YYYYMMDDHHMMSSZ."""
    key, request = make_key(folder), folder / "request.pem"
    certificate = folder / "cert.pem"
    openssl("req", "-new", "-key", key, "-out", request, "-subj", "/CN=GRO")
    (folder / "database").write_text("")
    (folder / "serial").write_text("7A11")
    wanted = {name: value for name, value in (GOOD_EXTENSIONS | dict(extensions)).items() if value}
    (folder / "ca.conf").write_text(
        "[ca]\ndefault_ca=it\n[it]\ndatabase={0}/database\nserial={0}/serial\nnew_certs_dir={0}\n"
        "policy=any\ndefault_md=sha256\nunique_subject=no\nx509_extensions=leaf\n"
        "[any]\ncommonName=supplied\n[leaf]\n{1}\n".format(
            folder, "\n".join(f"{name}={value}" for name, value in wanted.items())))
    period = ["-startdate", dates[0], "-enddate", dates[1]] if dates else ["-days", "30"]
    openssl("ca", "-batch", "-notext", "-config", folder / "ca.conf", "-cert", authority,
            "-keyfile", authority_key, "-in", request, "-out", certificate, *period)
    return certificate, key


def with_chain(certificate, authority):
    """The certificate followed by its authority's, as one file."""
    chain = certificate.with_name("chain.pem")
    chain.write_bytes(certificate.read_bytes() + authority.read_bytes())
    return chain
