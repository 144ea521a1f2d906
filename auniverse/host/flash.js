// Runs in the page that plays Flash games: begins episodes, and keeps what the game
// says until it is asked for. Ruffle's loader follows it.

window.RufflePlayer = {
  config: {
    allowScriptAccess: true,
    autoplay: "on",
    contextMenu: "off",
    letterbox: "off",
    logLevel: "warn",
    openUrlMode: "deny",
    preferredRenderer: "canvas", // without a GPU a quarter of the processor time of WebGL
    publicPath: "/ruffle/",
    showSwfDownload: false,
    splashScreen: false,
    unmuteOverlay: "hidden",
    warnOnUnsupportedContent: false,
  },
};

{
  const LOADED = 2; // of `readyState`
  let player = null;
  let asks = {};
  let heard = {};

  const plain = (value) => (typeof value === "number" ? value : String(value).slice(0, 200));
  const until = async (holds) => {
    while (!holds()) await new Promise((then) => setTimeout(then, 10));
  };
  const drawn = () => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)));

  // What the game has said last in this episode. It is fetched, not sent: a busy machine falls
  // behind with messages, and what is fetched after a look at the screen is never older than that.
  window.auniverseHeard = () => {
    for (const [word, name] of Object.entries(asks))
      if (name && typeof player?.[name] === "function")
        try {
          const value = player[name]();
          heard[word] = word === "over" ? heard.over || Boolean(value) : plain(value);
        } catch (error) {
          heard.failed = plain(`${name}: ${error}`);
        }
    return heard;
  };

  // Loads the game anew, which takes it back to its beginning whatever it is.
  window.auniverseBegin = async (game) => {
    player?.remove();
    const said = (heard = {});
    if (game.calls.score) window[game.calls.score] = (value) => { said.score = plain(value); };
    if (game.calls.over) window[game.calls.over] = (value) => { said.over ||= value !== false; };
    asks = {};
    player = RufflePlayer.newest().createPlayer();
    Object.assign(player.style, {
      position: "absolute", left: `${game.x}px`, top: `${game.y}px`,
      width: `${game.width}px`, height: `${game.height}px`,
    });
    document.body.append(player);
    const parameters = game.seed === null ? {} : { seed: String(game.seed) };
    await player.ruffle().load({ url: "/game/" + game.file, parameters, allowScriptAccess: true });
    await until(() => player.ruffle().readyState === LOADED || player.readyState === LOADED);
    player.focus();
    await drawn();
    asks = game.asks;
  };
}
