"""Operators on functions of one argument, for functions of several."""


def unary_to_nary(operator):
    def with_argument(f, argnum=0, *operator_args, **operator_options):
        def derived(*args, **options):
            def of_one(x):
                given = list(args)
                for i, value in [(argnum, x)] if isinstance(argnum, int) else zip(argnum, x):
                    given[i] = value
                return f(*given, **options)

            point = args[argnum] if isinstance(argnum, int) else tuple(args[i] for i in argnum)
            return operator(of_one, point, *operator_args, **operator_options)

        return derived

    return with_argument
