"""A server of gRPC for Python, which the client of our own asks. Says its port, and ends with its standard input."""

import sys
import time
from concurrent import futures

import grpc


def echo(request, context):
    metadata = dict(context.invocation_metadata())
    context.send_initial_metadata([("x-mark", metadata.get("x-mark", ""))])
    return request


def refuse(_request, context):
    context.set_trailing_metadata([("retry-after", "3")])
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "Nein, «nie» 🙂")


def never(_request, context):
    while context.is_active():
        time.sleep(0.01)
    return b""


def count(request, _context):
    for i in range(int(request)):
        yield f"{i}:".encode() + b"x" * (i % 50 * 100)


handlers = {
    "Echo": grpc.unary_unary_rpc_method_handler(echo),
    "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    "Never": grpc.unary_unary_rpc_method_handler(never),
    "Count": grpc.unary_stream_rpc_method_handler(count),
}
server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.max_receive_message_length", -1)])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Wire", handlers),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(0)
