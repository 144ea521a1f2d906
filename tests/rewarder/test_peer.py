from __future__ import annotations

import json

from auniverse.rewarder import Peer
from auniverse.rewarder.messages import Close, PingReply


def test_a_peer_numbers_its_messages_from_0_and_hands_each_out_once() -> None:
    peer, other = Peer(observer=False, protocol=0), Peer(observer=True, protocol=1)
    peer.send(PingReply(), 1, parent=7)
    peer.send(Close("bye"), 2.5)
    other.send(PingReply(), 3, parent=8, runtime=0.5)
    assert peer.data_to_send() == [
        '{"method":"v0.reply.control.ping","headers":'
        '{"message_id":0,"sent_at":1.0,"parent_message_id":7},"body":{}}',
        '{"method":"v0.connection.close","headers":'
        '{"message_id":1,"sent_at":2.5},"body":{"message":"bye"}}',
    ]
    assert peer.data_to_send() == []
    [text] = other.data_to_send()
    assert json.loads(text)["headers"] == {
        "message_id": 0,
        "sent_at": 3.0,
        "parent_message_id": 8,
        "parent_runtime": 0.5,
    }
    assert peer.close is None
