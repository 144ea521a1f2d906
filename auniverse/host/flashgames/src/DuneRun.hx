import flash.display.Sprite;

/** A road that winds through the desert, other cars on it, and a minute to get far. **/
class DuneRun extends Cabinet {
	static inline var SECONDS = 60;
	static inline var TOP_SPEED = 12.0;
	static inline var HALF_ROAD = 110;
	static inline var STRIP = 16;
	static inline var HOME = 380;

	static inline var LEFT = 37;
	static inline var UP = 38;
	static inline var RIGHT = 39;
	static inline var DOWN = 40;

	final road = new Sprite();
	final car = vehicle(0x30a0ff);
	final others:Array<{body:Sprite, at:Float, lane:Float}> = [];
	var bends:Array<Float> = [];
	var way = 0.0;
	var speed = 0.0;
	var ticks = 0;

	public function new() {
		super("Dune Run");
		field.graphics.beginFill(0xd8b070);
		field.graphics.drawRect(0, 0, Cabinet.WIDTH, Cabinet.HEIGHT - Cabinet.BAR);
		field.addChild(road);
		for (_ in 0...3) {
			final body = vehicle(0xd02020);
			body.visible = false;
			field.addChild(body);
			others.push({body: body, at: 0, lane: 0});
		}
		car.x = 320;
		car.y = HOME;
		field.addChild(car);
		drawRoad();
	}

	override function begin() {
		bends = [for (_ in 0...3) random(628) / 100];
		for (number => other in others)
			place(other, 700 + 420 * number);
	}

	override function tick() {
		ticks++;
		final off = Math.abs(car.x - middle(way)) > HALF_ROAD - 12;
		final fastest = off ? 2.5 : TOP_SPEED;
		speed += held[UP] ? 0.08 : -0.04;
		speed -= held[DOWN] ? 0.25 : 0;
		speed = Math.max(0, speed > fastest ? Math.max(fastest, speed - 0.4) : speed);
		final steer = (held[RIGHT] ? 1 : 0) - (held[LEFT] ? 1 : 0);
		car.x = Math.max(20, Math.min(620, car.x + steer * (1 + speed * 0.35)));
		way += speed;
		for (other in others) {
			other.at += 4;
			final ahead = other.at - way;
			other.body.x = middle(other.at) + other.lane;
			other.body.y = HOME - ahead;
			other.body.visible = other.body.y > -40;
			if (Math.abs(ahead) < 38 && Math.abs(other.body.x - car.x) < 26) {
				speed = 1;
				place(other, 900);
			} else if (ahead < -120)
				place(other, 500 + random(600));
		}
		drawRoad();
		final points = Std.int(way / 40);
		if (points > score)
			earn(points - score);
		if (ticks >= SECONDS * 60)
			end();
	}

	function place(other:{body:Sprite, at:Float, lane:Float}, ahead:Float) {
		other.at = way + ahead;
		other.lane = random(2) * 100 - 50;
	}

	/** Returns the column of the road's middle, so far along. **/
	function middle(at:Float):Float {
		if (bends.length == 0)
			return 320;
		final straight = Math.min(1, at / 1500); // it begins without a bend
		return 320 + straight * (90 * Math.sin(at / 700 + bends[0]) + 60 * Math.sin(at / 330 + bends[1]));
	}

	function drawRoad() {
		final canvas = road.graphics;
		canvas.clear();
		canvas.beginFill(0x606068);
		final height = Cabinet.HEIGHT - Cabinet.BAR;
		for (row in 0...Std.int(height / STRIP)) {
			final x = Std.int(middle(way + HOME - row * STRIP));
			canvas.drawRect(x - HALF_ROAD, row * STRIP, 2 * HALF_ROAD, STRIP);
		}
		canvas.endFill();
		canvas.beginFill(0xf0f0e0);
		final first = Math.ceil((way + HOME - height) / 80);
		for (dash in first...first + 7) {
			final y = way + HOME - dash * 80;
			canvas.drawRect(Std.int(middle(dash * 80)) - 3, Std.int(y), 6, Math.min(30, Math.max(0, height - y)));
		}
		canvas.endFill();
	}

	static function vehicle(colour:Int):Sprite {
		final body = new Sprite();
		body.graphics.beginFill(colour);
		body.graphics.drawRect(-13, -19, 26, 38);
		body.graphics.beginFill(0x181820);
		body.graphics.drawRect(-9, -10, 18, 8);
		return body;
	}

	static function main() {
		Cabinet.play(new DuneRun());
	}
}
