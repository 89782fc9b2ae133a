"""Records every API call, and refuses the ones it was told to, once each, as AWS refuses what a caller may not do.

Its own paths: GET /_calls lists the calls that were answered, in their order; PUT /_faults takes a list of
{"service", "action", "occurrence"} and counts from then on; GET /_faults lists the ones that were refused since, with
the thing they were for ("thing") where it can be told.
"""

import io
import json
import re
import threading
import uuid
from functools import cache
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from botocore.session import get_session

MODEL_NAMES = {"elasticfilesystem": "efs"}  # where the name in a signature is not that of botocore's model


@cache
def model(service):
    return get_session().get_service_model(MODEL_NAMES.get(service, service))


@cache
def rest_operations(service):
    """The operations of a REST service as (method, path, names in the query, name), the most particular first."""
    found = []
    for name in model(service).operation_names:
        if model(service).operation_model(name).deprecated:
            continue  # S3 has two names for some paths
        method, uri = (model(service).operation_model(name).http[key] for key in ("method", "requestUri"))
        path, _, query = uri.partition("?")
        pattern = "".join(
            piece if index % 2 == 0 else (".+" if piece.endswith("+") else "[^/]+")
            for index, piece in enumerate(re.split(r"\{([^}]*)\}", path))
        )
        names = {part.partition("=")[0] for part in query.split("&") if part}
        found.append((method, re.compile(pattern.rstrip("/") + "/?"), names, name, len(re.sub(r"\{[^}]*\}", "", path))))
    return sorted(found, key=lambda row: (-len(row[2]), -row[4]))


def rest_action(service, environment):
    query = parse_qs(environment["QUERY_STRING"], keep_blank_values=True)
    path = environment["REQUEST_URI"].partition("?")[0]
    if "x-id" in query:
        return query["x-id"][0]
    for method, pattern, names, name, _ in rest_operations(service):
        if method == environment["REQUEST_METHOD"] and names <= query.keys() and pattern.fullmatch(path):
            return name
    return environment["REQUEST_METHOD"] + " " + path


def call_of(environment):
    """Service, action and the thing named of a signed request; no service for one that cannot be told and passes.

    The thing is known where EC2 does something to things of any kind, as CreateTags does: the first of them.
    """
    signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", environment.get("HTTP_AUTHORIZATION", ""))
    if signed is None:
        return None, None, ""
    service = signed[1]
    try:
        protocol = model(service).metadata["protocol"]
    except UnknownServiceError:
        return None, None, ""
    if "HTTP_X_AMZ_TARGET" in environment:
        return service, environment["HTTP_X_AMZ_TARGET"].rpartition(".")[2], ""
    if protocol in ("query", "ec2"):
        if not environment.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            return None, None, ""
        sent = environment["wsgi.input"].read()
        environment["wsgi.input"] = io.BytesIO(sent)
        parameters = parse_qs(sent.decode())
        return service, parameters["Action"][0], parameters.get("ResourceId.1", [""])[0]
    if not protocol.startswith("rest-"):
        return None, None, ""
    return service, rest_action(service, environment), ""


def refusal(service, action):
    """Status, headers and body of AWS's answer to a call that no policy allows."""
    text = f"User: arn:aws:iam::123456789012:user/emulator is not authorized to perform: {service}:{action}"
    request, protocol = str(uuid.uuid4()), model(service).metadata["protocol"]
    if protocol == "ec2":
        error = f"<Errors><Error><Code>UnauthorizedOperation</Code><Message>{text}</Message></Error></Errors>"
        return "403 Forbidden", "text/xml", f"<Response>{error}<RequestID>{request}</RequestID></Response>"
    if protocol == "query":
        error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{text}</Message></Error>"
        return "403 Forbidden", "text/xml", f"<ErrorResponse>{error}<RequestId>{request}</RequestId></ErrorResponse>"
    if protocol == "rest-xml":
        inside = f"<Code>AccessDenied</Code><Message>{text}</Message><RequestId>{request}</RequestId>"
        return "403 Forbidden", "application/xml", f"<Error>{inside}</Error>"
    answer = json.dumps({"__type": "AccessDeniedException", "message": text})
    return ("400 Bad Request" if protocol == "json" else "403 Forbidden"), "application/x-amz-json-1.1", answer


class Faults:
    """A WSGI application around another one."""

    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()
        self.calls, self.armed, self.refused = [], [], []

    def __call__(self, environment, start_response):
        if environment["PATH_INFO"] in ("/_calls", "/_faults"):
            return self.control(environment, start_response)
        service, action, thing = call_of(environment)
        if service is None:
            return self.application(environment, start_response)
        if self.refuses(service, action, thing):
            status, kind, text = refusal(service, action)
            start_response(status, [("Content-Type", kind), ("X-Amzn-ErrorType", "AccessDeniedException")])
            return [text.encode()]

        def start(status, headers, *rest):
            if status.startswith("2"):
                with self.lock:
                    self.calls.append({"service": service, "action": action})
            return start_response(status, headers, *rest)

        return self.application(environment, start)

    def refuses(self, service, action, thing):
        with self.lock:
            for fault in self.armed:
                if (fault["service"], fault["action"]) == (service, action):
                    fault["occurrence"] -= 1
                    if fault["occurrence"] == 0:
                        self.refused.append({"service": service, "action": action, "thing": thing})
                        return True
        return False

    def control(self, environment, start_response):
        with self.lock:
            if environment["REQUEST_METHOD"] == "PUT":
                size = int(environment["CONTENT_LENGTH"])
                self.armed, self.refused = json.loads(environment["wsgi.input"].read(size)), []
            answer = self.calls if environment["PATH_INFO"] == "/_calls" else self.refused
            text = json.dumps(answer).encode()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [text]
