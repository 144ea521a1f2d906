import flash.Lib;
import flash.display.Shape;
import flash.display.Sprite;
import flash.events.Event;
import flash.events.KeyboardEvent;
import flash.events.MouseEvent;
import flash.external.ExternalInterface;
import flash.text.TextField;
import flash.text.TextFormat;
import flash.text.TextFormatAlign;

/**
	What our games have in common: a start screen, a bar with the score, a last screen, and what they
	tell the page. A game says what happens in `begin` and, sixty times a second, in `tick`.
**/
class Cabinet extends Sprite {
	public static inline var WIDTH = 640;
	public static inline var HEIGHT = 480;
	/** Rows of the bar at the top. **/
	public static inline var BAR = 32;

	/** Pixels of the screen that a pixel of a digit is wide and high. **/
	static inline var DOT = 3;

	/** The digits, five columns by seven rows. **/
	static final FONT = [
		".###.#...##...##...##...##...#.###.",
		"..#...##....#....#....#....#...###.",
		".###.#...#....#..##..#...#....#####",
		".###.#...#....#..##.....##...#.###.",
		"...#...##..#.#.#..#.#####...#....#.",
		"######....####.....#....##...#.###.",
		".###.#....#....####.#...##...#.###.",
		"#####....#...#...#...#....#....#...",
		".###.#...##...#.###.#...##...#.###.",
		".###.#...##...#.####....#....#.###."
	];

	/** Where the game draws; (0, 0) is below the bar. **/
	final field = new Sprite();

	final held = new Map<Int, Bool>();
	var score = 0;
	var frames = 0;

	final title:String;
	final bar = new Sprite();
	final number = new Shape();
	final curtain = new Sprite();
	var playing = false;
	var over = false;
	var state = 1;

	public function new(title:String) {
		super();
		this.title = title;
		field.y = BAR;
		addChild(field);
		bar.graphics.beginFill(0x101018);
		bar.graphics.drawRect(0, 0, WIDTH, BAR);
		bar.addChild(number);
		number.x = 12;
		number.y = 6;
		addChild(bar);
		addChild(curtain);
		addEventListener(Event.ADDED_TO_STAGE, _ -> open());
	}

	/** Begins a game: the field is empty, the score 0. **/
	function begin() {}

	/** Lets a sixtieth of a second pass. **/
	function tick() {}

	/** The pointer was pressed, in the field's own pixels. **/
	function pressed(x:Float, y:Float) {}

	function open() {
		stage.addEventListener(KeyboardEvent.KEY_DOWN, keyDown);
		stage.addEventListener(KeyboardEvent.KEY_UP, event -> held[event.keyCode] = false);
		stage.addEventListener(MouseEvent.MOUSE_DOWN, mouseDown);
		addEventListener(Event.ENTER_FRAME, _ -> {
			frames++;
			if (playing)
				tick();
		});
		if (ExternalInterface.available) {
			ExternalInterface.addCallback("getScore", () -> score);
			ExternalInterface.addCallback("getFrames", () -> frames);
			ExternalInterface.addCallback("isOver", () -> over);
		}
		show(0);
		draw("" + title, 0x203050, "click or press space to play");
	}

	function keyDown(event:KeyboardEvent) {
		held[event.keyCode] = true;
		if (event.keyCode == 32)
			start();
	}

	function mouseDown(event:MouseEvent) {
		if (playing)
			pressed(event.stageX, event.stageY - BAR);
		else
			start();
	}

	function start() {
		if (playing || over)
			return;
		final seed = Std.parseInt(stage.loaderInfo.parameters.seed);
		state = (seed == null ? Std.random(0x3fffffff) : seed) * 2 + 1;
		curtain.visible = false;
		playing = true;
		begin();
	}

	/** Ends the game. **/
	function end() {
		playing = false;
		over = true;
		draw("GAME OVER", 0x701820, '$title: $score');
		tell("onOver");
	}

	/** Adds to the score. **/
	function earn(points:Int) {
		show(score + points);
		tell("onScore");
	}

	function tell(name:String) {
		if (ExternalInterface.available)
			ExternalInterface.call(name, score);
	}

	/** Returns a whole number from 0 to below `limit`, the same ones in every game of one seed. **/
	function random(limit:Int):Int {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state & 0x3fffffff) % limit;
	}

	function show(value:Int) {
		score = value;
		final canvas = number.graphics;
		canvas.clear();
		canvas.beginFill(0xffffff);
		final text = Std.string(value);
		for (place in 0...text.length) {
			final digit = FONT[text.charCodeAt(place) - "0".code];
			for (pixel in 0...35)
				if (digit.charAt(pixel) == "#")
					canvas.drawRect((place * 6 + pixel % 5) * DOT, Std.int(pixel / 5) * DOT, DOT, DOT);
		}
		canvas.endFill();
	}

	function draw(words:String, colour:Int, below:String) {
		curtain.removeChildren();
		curtain.graphics.clear();
		curtain.graphics.beginFill(colour);
		curtain.graphics.drawRect(120, 140, 400, 200);
		curtain.addChild(label(words, 48, 170));
		curtain.addChild(label(below, 20, 270));
		curtain.visible = true;
	}

	static function label(words:String, size:Int, y:Int):TextField {
		final text = new TextField();
		final format = new TextFormat("_sans", size, 0xe0e0e0);
		format.align = TextFormatAlign.CENTER;
		text.defaultTextFormat = format;
		text.selectable = text.mouseEnabled = false;
		text.width = WIDTH;
		text.y = y;
		text.text = words;
		return text;
	}

	static function play(game:Cabinet) {
		Lib.current.addChild(game);
	}
}
