import flash.display.Sprite;

/** Balloons rise for half a minute. A popped one is worth ten points, a small one twenty. **/
class PopRush extends Cabinet {
	static inline var SECONDS = 30;

	final rising:Array<{body:Sprite, radius:Int, speed:Float}> = [];
	var ticks = 0;

	public function new() {
		super("Pop Rush");
		field.graphics.beginFill(0xa8d8f0);
		field.graphics.drawRect(0, 0, Cabinet.WIDTH, Cabinet.HEIGHT - Cabinet.BAR);
	}

	override function tick() {
		if (ticks++ % 30 == 0)
			rise();
		for (balloon in rising.copy()) {
			balloon.body.y -= balloon.speed;
			if (balloon.body.y < -30)
				remove(balloon);
		}
		if (ticks >= SECONDS * 60)
			end();
	}

	override function pressed(x:Float, y:Float) {
		for (balloon in rising.copy()) {
			final dx = balloon.body.x - x, dy = balloon.body.y - y;
			if (dx * dx + dy * dy <= balloon.radius * balloon.radius) {
				remove(balloon);
				earn(balloon.radius < 22 ? 20 : 10);
				return;
			}
		}
	}

	function rise() {
		final body = new Sprite();
		final radius = random(3) == 0 ? 18 : 28;
		body.graphics.beginFill(radius < 22 ? 0xe02060 : 0x6020c0);
		body.graphics.drawCircle(0, 0, radius);
		body.x = 60 + random(520);
		body.y = Cabinet.HEIGHT - Cabinet.BAR + radius;
		field.addChild(body);
		rising.push({body: body, radius: radius, speed: 1.5 + random(100) / 100});
	}

	function remove(balloon:{body:Sprite, radius:Int, speed:Float}) {
		rising.remove(balloon);
		field.removeChild(balloon.body);
	}

	static function main() {
		Cabinet.play(new PopRush());
	}
}
