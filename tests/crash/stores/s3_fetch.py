"""Copies what lies in a bucket below a prefix into a folder, with requests signed here and read by no code of the product: s3_fetch.py ENDPOINT BUCKET PREFIX KEY-ID-FILE KEY-FILE FOLDER"""

import datetime
import hashlib
import hmac
import http.client
import pathlib
import sys
import time
import urllib.parse
import xml.etree.ElementTree


class Bucket:
    def __init__(self, endpoint, bucket, key_id, key):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.path = "/" + bucket
        self.key_id, self.key = key_id, key
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    # Servers that are told to be slow say so with 503.
    def get(self, key, query):
        for _ in range(50):
            status, body = self.ask(key, query)
            if status == 200:
                return body
            if status not in (500, 503):
                break
            time.sleep(0.05)
        sys.exit(f"{key} {query}: status {status}: {body[:300]!r}")

    def ask(self, key, query):
        path = self.path + ("/" + urllib.parse.quote(key, safe="/-._~") if key else "")
        asked = "&".join(f"{urllib.parse.quote(name, safe='-._~')}={urllib.parse.quote(value, safe='-._~')}" for name, value in sorted(query.items()))
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        empty = hashlib.sha256(b"").hexdigest()
        headers = {"host": self.host, "x-amz-content-sha256": empty, "x-amz-date": now}
        names = ";".join(sorted(headers))
        canonical = "\n".join(["GET", path, asked, *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, empty])
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        secret = ("AWS4" + self.key).encode()
        for part in (*scope.split("/"), to_sign):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}, SignedHeaders={names}, Signature={secret.hex()}"
        self.connection.request("GET", path + ("?" + asked if asked else ""), headers=headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def keys(self, prefix):
        token = None
        while True:
            query = {"list-type": "2", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            page = xml.etree.ElementTree.fromstring(self.get("", query))
            for element in page.iter():
                element.tag = element.tag.rpartition("}")[2]
            yield from (each.findtext("Key") for each in page.iter("Contents"))
            token = page.findtext("NextContinuationToken")
            if not token:
                return


def main():
    endpoint, bucket, prefix, key_id, key, folder = sys.argv[1:]
    store = Bucket(endpoint, bucket, pathlib.Path(key_id).read_text().strip(), pathlib.Path(key).read_text().strip())
    pathlib.Path(folder).mkdir(parents=True)
    for key in list(store.keys(prefix)):
        path = pathlib.Path(folder) / key[len(prefix):]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(key, {}))


main()
