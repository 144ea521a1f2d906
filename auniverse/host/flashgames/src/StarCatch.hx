import flash.display.Sprite;
import flash.events.MouseEvent;

/** Stars and stones fall. A star that is caught is a point; three stars lost, or a stone, is the end. **/
class StarCatch extends Cabinet {
	static inline var FLOOR = 430;
	static inline var LIVES = 3;
	static inline var LEFT = 37;
	static inline var RIGHT = 39;

	final basket = new Sprite();
	final falling:Array<{body:Sprite, good:Bool, speed:Float}> = [];
	final hearts = new Sprite();
	var lives = LIVES;
	var ticks = 0;

	public function new() {
		super("Star Catch");
		field.graphics.beginFill(0x102040);
		field.graphics.drawRect(0, 0, Cabinet.WIDTH, Cabinet.HEIGHT - Cabinet.BAR);
		basket.graphics.beginFill(0x40c060);
		basket.graphics.drawRect(-45, -8, 90, 16);
		basket.x = 320;
		basket.y = FLOOR;
		field.addChild(basket);
		hearts.x = 540;
		hearts.y = 10;
		bar.addChild(hearts);
		drawHearts();
	}

	override function tick() {
		move(basket.x + 9 * ((held[RIGHT] ? 1 : 0) - (held[LEFT] ? 1 : 0)));
		if (ticks++ % 60 == 0)
			drop();
		for (thing in falling.copy()) {
			thing.body.y += thing.speed;
			if (Math.abs(thing.body.y - FLOOR) < 12 && Math.abs(thing.body.x - basket.x) < 58) {
				remove(thing);
				thing.good ? earn(1) : lose(LIVES);
			} else if (thing.body.y > FLOOR + 20) {
				remove(thing);
				if (thing.good)
					lose(1);
			}
		}
	}

	override function open() {
		super.open();
		stage.addEventListener(MouseEvent.MOUSE_MOVE, event -> move(event.stageX));
	}

	function move(x:Float) {
		basket.x = Math.max(45, Math.min(595, x));
	}

	function drop() {
		final body = new Sprite();
		final good = random(4) != 0;
		body.graphics.beginFill(good ? 0xffd020 : 0x808080);
		body.graphics.drawCircle(0, 0, 12);
		body.x = 60 + random(520);
		body.y = -12;
		field.addChild(body);
		falling.push({body: body, good: good, speed: 3 + Math.min(3, ticks / 2400)});
	}

	function remove(thing:{body:Sprite, good:Bool, speed:Float}) {
		falling.remove(thing);
		field.removeChild(thing.body);
	}

	function lose(count:Int) {
		lives -= count;
		drawHearts();
		if (lives <= 0)
			end();
	}

	function drawHearts() {
		hearts.graphics.clear();
		hearts.graphics.beginFill(0xff5070);
		for (place in 0...(lives > 0 ? lives : 0))
			hearts.graphics.drawRect(place * 24, 0, 14, 14);
		hearts.graphics.endFill();
	}

	static function main() {
		Cabinet.play(new StarCatch());
	}
}
