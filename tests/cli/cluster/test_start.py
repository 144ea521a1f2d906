"""`auniverse cluster start`: its words, and nobody there."""

from .runner import cluster


def test_the_documents_words_are_options() -> None:
    """The document has: starter-cluster start -s OpenAI-Universe -i KEY.pem -r flashgames -n 2."""
    words = ("start", "-s", "OpenAI-Universe", "-i", "my-ec2-key.pem", "-r", "gym-core", "-n", "2")
    wrong = cluster(*words, "--region", "nowhere")
    assert wrong.exit_code == 2
    assert "no region 'nowhere'" in wrong.stderr, "they were all understood"
    nobody = cluster("start", "-r", "gym-core")
    assert nobody.exit_code == 2
    assert "say which swarm" in nobody.stderr


def test_nobody_is_there() -> None:
    way = ("--manager", "me@127.0.0.1:9", "--hostkey", "SHA256:" + "a" * 43)
    silent = cluster("start", "-r", "gym-core", *way)
    assert silent.exit_code == 4, silent.output
    assert "127.0.0.1:9" in silent.stderr
