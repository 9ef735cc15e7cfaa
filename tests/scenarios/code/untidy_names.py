from collections import OrderedDict, defaultdict
import re
import math, string

def words( text ) :
    return  re.findall( r'\w+',text.lower() )

def letters_per_word( text ):
        counts = defaultdict( int )
        for word in words( text ):
                counts[ len(word) ]+=1
        return dict( counts )
