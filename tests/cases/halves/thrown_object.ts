throw { "\udc00": ["\ud800\udc00", "\ud800"] };
