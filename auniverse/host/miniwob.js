// Put into a page of MiniWoB++ once it has loaded. `auniverseBegin` begins an episode and resolves
// when its first picture was drawn; `auniverseDone` and `auniverseSaid` are the host's ears.
() => {
  const end = core.endEpisode;
  let episode = 0, said = "";

  const words = () => {
    const said = core.getUtterance(); // some tasks also say what the words stand for
    return typeof said === "string" ? said : said.utterance;
  };
  // Two animation frames only say that it was painted; element timing, that it was put on the screen.
  const drawn = () => new Promise(done => {
    const mark = document.createElement("div");
    mark.setAttribute("elementtiming", "auniverse");
    mark.textContent = ".";
    mark.style.cssText =
      "position: fixed; right: 0; bottom: 0; font: 1px monospace; color: #555; pointer-events: none";
    new PerformanceObserver((entries, observer) => {
      observer.disconnect();
      mark.remove();
      done();
    }).observe({ type: "element" });
    document.body.append(mark);
  });

  // A page that holds another loads that anew; neither the old one's end nor that time counts.
  const loaded = async () => {
    clearTimeout(core.EP_TIMER);
    core.EP_TIMER = null;
    while (!WOB_TASK_READY) await new Promise(requestAnimationFrame);
    core.ept0 = Date.now();
    core.countdownTimer(core.EPISODE_MAX_TIME);
    core.EP_TIMER = setTimeout(() => core.endEpisode(-1, false, "timed out"), core.EPISODE_MAX_TIME);
  };

  core.startEpisode = () => core.createDisplay(); // without the START cover
  core.endEpisode = (...result) => {
    const running = core.EP_TIMER !== null; // only the first end of an episode counts
    end(...result);
    if (running && WOB_DONE_GLOBAL)
      auniverseDone({
        episode,
        reward: WOB_REWARD_GLOBAL,
        raw: WOB_RAW_REWARD_GLOBAL,
        timed_out: WOB_REWARD_REASON === "timed out",
      });
  };
  new MutationObserver(() => {
    const text = words();
    if (core.EP_TIMER !== null && text !== said) auniverseSaid({ episode, text: (said = text) });
  }).observe(document.getElementById("query"), {
    childList: true, subtree: true, characterData: true,
  });

  window.auniverseBegin = async (number, seed, limit) => {
    if (core.EP_TIMER !== null) clearTimeout(core.EP_TIMER);
    core.EP_TIMER = null;
    episode = number;
    if (seed === null) Math.seedrandom();
    else Math.seedrandom(String(seed));
    if (limit !== null) core.EPISODE_MAX_TIME = 1000 * limit;
    core.createDisplay();
    core.cover_div = core.cover_div || document.createElement("div"); // it hides it
    core.startEpisodeReal();
    if (!WOB_TASK_READY) await loaded();
    said = words();
    await drawn();
    return said;
  };
}
