package jq

// functions is everything that crossdock adds to jq.
var functions = []Function{
	{
		Name: "pad_left", Params: []string{"width", "fill"}, call: padLeft,
		Doc: "Fills a text or a number on the left with one character up to a width. Longer texts stay as they are, null stays null.",
		Examples: []Example{
			{`42`, `pad_left(6; "0")`, `"000042"`},
			{`"0012345"`, `pad_left(4; "0")`, `"0012345"`},
		},
	},
	{
		Name: "digits", call: digits,
		Doc:      "Keeps the digits 0 to 9 of a text and drops everything else. Null stays null.",
		Examples: []Example{{`"+49 (40) 123-456"`, `digits`, `"4940123456"`}},
	},
	{
		Name: "blank", call: blank,
		Doc: "Is true for null, for a text without anything but white space, and for an empty list or object. False and 0 are values, not blank.",
		Examples: []Example{
			{`{"phone": "  "}`, `.phone | blank`, `true`},
			{`{"phone": "  "}`, `.fax | blank`, `true`},
			{`0`, `blank`, `false`},
		},
	},
	{
		Name: "convert", Params: []string{"from", "to"}, call: convert,
		Doc: "Converts a number between units of weight (lb oz g kg t), length (in ft mi mm cm m km), volume (gal ft3 ml l m3) or temperature (C F). The result is exact where it has a finite decimal form, else it has 15 significant digits. Null stays null.",
		Examples: []Example{
			{`"10"`, `convert("lb"; "kg")`, `4.5359237`},
			{`68`, `convert("F"; "C")`, `20`},
			{`2.5`, `convert("m3"; "l")`, `2500`},
		},
	},
	{
		Name: "lookup", Params: []string{"table"}, bound: bindLookup(false),
		Doc:      "Looks the input up in a table of one column. What a miss means is decided by on_miss of the table. Null stays null.",
		Examples: []Example{{`{"code": "02"}`, `.code | lookup("service-levels")`, `"EXPRESS"`}},
	},
	{
		Name: "lookup", Params: []string{"table", "column"}, bound: bindLookup(true),
		Doc:      "Looks the input up in a table of several columns and gives one of them.",
		Examples: []Example{{`"020"`, `lookup("metrobox-codes"; "type")`, `"delivery.completed"`}},
	},
	{
		Name: "exact_sum", call: exactSum,
		Doc: "Adds a list of numbers, or of texts that hold numbers, in decimal arithmetic. Null is skipped; an empty list gives 0.",
		Examples: []Example{
			{`[1.10, 1.10, "1.10"]`, `exact_sum`, `3.30`},
			{`{"lines": [{"value": 0.1}, {"value": 0.2}]}`, `[.lines[].value] | exact_sum`, `0.3`},
		},
	},
	{
		Name: "exact_sub", Params: []string{"a", "b"}, call: exactSub,
		Doc:      "Takes b from a in decimal arithmetic.",
		Examples: []Example{{`{"gross": "10.00", "tare": 0.35}`, `exact_sub(.gross; .tare)`, `9.65`}},
	},
	{
		Name: "exact_mul", Params: []string{"a", "b"}, call: exactMul,
		Doc:      "Multiplies in decimal arithmetic.",
		Examples: []Example{{`{"qty": 3, "price": 1.10}`, `exact_mul(.qty; .price)`, `3.30`}},
	},
	{
		Name: "exact_div", Params: []string{"a", "b", "decimals"}, call: exactDiv,
		Doc:      "Divides in decimal arithmetic and gives exactly the wanted decimals. A half is rounded away from zero, as in commerce.",
		Examples: []Example{{`null`, `exact_div(2; 3; 4)`, `0.6667`}},
	},
	{
		Name: "exact_round", Params: []string{"decimals"}, call: exactRound,
		Doc: "Gives a number exactly the wanted decimals. A half is rounded away from zero, as in commerce. Null stays null.",
		Examples: []Example{
			{`1.005`, `exact_round(2)`, `1.01`},
			{`-2.5`, `exact_round(0)`, `-3`},
		},
	},
}
