"""gRPC for Python asks the server of our own; one line of JSON for each case."""

import gzip  # noqa: F401 - the library's own compression needs it
import json
import sys
import threading

import grpc

port, secure = sys.argv[1], sys.argv[2] == "tls"
options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
if secure:
    with open(sys.argv[3], "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    options.append(("grpc.ssl_target_name_override", "sluice.test"))
    channel = grpc.secure_channel(f"127.0.0.1:{port}", credentials, options)
else:
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)

echo = channel.unary_unary("/test.Wire/Echo")
stream = channel.stream_stream("/test.Wire/Stream")


def say(case, **what):
    print(json.dumps({"case": case, **what}), flush=True)


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        trailing = {key: value for key, value in error.trailing_metadata() or []}
        return {"code": error.code().name, "details": error.details(), "mark": trailing.get("x-mark", "")}
    return {"code": "OK"}


answer, call = echo.with_call(b"hello", metadata=[("x-mark", "m-1")], timeout=20)
say("unary", answer=answer.decode(), mark=dict(call.initial_metadata()).get("x-mark"), code=call.code().name)
say("empty", length=len(echo(b"", timeout=20)))

large = bytes(range(256)) * 32_768
say("large", equal=echo(large, timeout=60) == large)
say("too large", **failure(lambda: echo(b"x" * 16_777_217, timeout=60)))
for name in ("Gzip", "Deflate"):
    body = b"abc" * 10_000
    say(name, equal=echo(body, timeout=20, compression=getattr(grpc.Compression, name)) == body)

say("refusal", **failure(lambda: channel.unary_unary("/test.Wire/Refuse")(b"x" * 500_000, metadata=[("x-mark", "m-2")], timeout=20)))
say("deadline", **failure(lambda: channel.unary_unary("/test.Wire/Never")(b"x", timeout=0.2)))

waiting = channel.unary_unary("/test.Wire/Never").future(b"x", timeout=20)
threading.Timer(0.1, waiting.cancel).start()
try:
    waiting.result()
    say("cancel", cancelled=False)
except grpc.FutureCancelledError:
    say("cancel", cancelled=True)

messages = [f"message {i}".encode() * (i + 1) for i in range(200)]
answers = stream(iter(messages), metadata=[("x-mark", "m-3")], timeout=60)
received = list(answers)
say("stream", equal=received == messages, mark=dict(answers.trailing_metadata()).get("x-mark"))

broken = stream(iter([b"one", b"two", b"three"]), timeout=20)
say("stream broken off", first=next(broken).decode(), cancelled=broken.cancel() is not False)

calls = [echo.future(f"marked {i}".encode(), timeout=60) for i in range(2_000)]
say("many", wrong=sum(call.result() != f"marked {i}".encode() for i, call in enumerate(calls)))
channel.close()
