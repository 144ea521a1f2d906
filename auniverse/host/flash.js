// Runs in the page that plays Flash games: begins episodes, and passes on what the game says.
// Ruffle's loader follows it.

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
  let episode = 0;
  let asking = 0;

  const tell = (what) => auniverseSaid({ episode, ...what });
  const hear = (name, word) => {
    if (name) window[name] = (value) => tell({ [word]: value });
  };
  const until = async (holds) => {
    while (!holds()) await new Promise((then) => setTimeout(then, 10));
  };
  const drawn = () => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)));

  const ask = (asks) => {
    for (const [word, name] of Object.entries(asks))
      if (name && typeof player?.[name] === "function")
        try {
          tell({ [word]: player[name]() });
        } catch (error) {
          tell({ failed: `${name}: ${error}` });
        }
  };

  // Loads the game anew, which takes it back to its beginning whatever it is.
  window.auniverseBegin = async (number, game) => {
    clearInterval(asking);
    player?.remove();
    episode = number;
    hear(game.calls.score, "score");
    hear(game.calls.over, "over");
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
    if (game.asks.score || game.asks.over) asking = setInterval(() => ask(game.asks), 50);
  };
}
